import type { Listing } from '../event-log/listing.ts'
import { EpochcastError, quote } from '../task/errors.ts'
import { LIMITS } from '../task/limits.ts'
import type { Json, TaskStatus } from '../task/task.ts'
import { ANYONE, type Caller, type LabelValue, reaches } from './access.ts'

/** All conditions that are given must hold. */
export interface TaskFilter {
  readonly ids?: readonly string[] | null | undefined
  readonly statuses?: readonly TaskStatus[] | null | undefined
  readonly channelPrefix?: string | null | undefined
  readonly machineId?: string | null | undefined
  readonly trainer?: string | null | undefined
  readonly text?: string | null | undefined
  readonly labels?: Json | undefined
  /** RFC 3339; the time itself is left out, as of `createdBefore`. */
  readonly createdAfter?: string | null | undefined
  readonly createdBefore?: string | null | undefined
}

/** A filter and a caller's rights, as what an index can look up and a listing can be tested by. */
export interface TaskQuery {
  /** Each asks for one of several keys (`keysOf`). */
  readonly conditions: readonly (readonly string[])[]
  /** All of them occur in the task's text. */
  readonly words: readonly string[]
  readonly createdAfter: number
  readonly createdBefore: number
  /** Whether a task, once it matched, may cease to. */
  readonly canBeLeft: boolean
  /** Whether it is about tasks that are named, whatever becomes of them. */
  readonly namesTasks: boolean
  /** @param text its `searchText`, where that is at hand */
  matches(listing: Listing, text?: string): boolean
  /** Whether the caller may read a task, whether it matches or not. */
  isReadable(listing: Listing): boolean
}

/** @throws EpochcastError BAD_INPUT */
export function taskQuery(filter: TaskFilter, caller: Caller = ANYONE): TaskQuery {
  const { ids, statuses, channelPrefix, machineId, trainer } = filter
  const words = wordsOf(filter.text ?? '')
  const labels = labelConditions(filter.labels ?? null)
  const createdAfter = filter.createdAfter ? Date.parse(filter.createdAfter) : Number.NEGATIVE_INFINITY
  const createdBefore = filter.createdBefore ? Date.parse(filter.createdBefore) : Number.POSITIVE_INFINITY
  const { taskIds, channelPrefixes } = caller
  const conditions: string[][] = []
  const where = (field: Field, values: Iterable<string> | null | undefined) => {
    if (values) conditions.push(Array.from(new Set(values), (value) => fieldKey(field, value)))
  }
  where('id', ids)
  where('id', taskIds)
  where('status', statuses)
  where('channelPrefix', channelPrefix == null ? null : [channelPrefix])
  where('channelPrefix', channelPrefixes)
  where('machineId', machineId == null ? null : [machineId])
  where('trainer', trainer == null ? null : [trainer])
  for (const { path, value } of labels) conditions.push([labelKey(path, value)])
  for (const [name, values] of caller.labels ?? [])
    conditions.push(Array.from(values, (value) => labelKey([name], value)))

  return {
    conditions,
    words,
    createdAfter,
    createdBefore,
    canBeLeft: statuses != null || words.length > 0 || labels.length > 0 || caller.labels !== null,
    namesTasks: ids != null,
    matches: (listing, text) =>
      (ids?.includes(listing.id) ?? true) &&
      (statuses?.includes(listing.status) ?? true) &&
      (channelPrefix ?? listing.channelPrefix) === listing.channelPrefix &&
      (machineId ?? listing.machineId) === listing.machineId &&
      (trainer ?? listing.trainer) === listing.trainer &&
      listing.createdAt > createdAfter &&
      listing.createdAt < createdBefore &&
      reaches(caller, listing) &&
      labels.every(({ path, value }) => labelAt(listing.labels, path) === value) &&
      (words.length === 0 || hasWords(text ?? searchText(listing), words)),
    isReadable: (listing) => reaches(caller, listing),
  }
}

type Field = 'id' | 'status' | 'channelPrefix' | 'machineId' | 'trainer'

const fieldKey = (field: Field, value: string): string => `${field} ${value}`
const labelKey = (path: readonly string[], value: LabelValue): string => JSON.stringify([path, value])

/** What a task can be looked up by. */
export function keysOf({ id, status, channelPrefix, machineId, trainer, labels }: Listing): Set<string> {
  const keys = new Set([
    fieldKey('id', id),
    fieldKey('status', status),
    fieldKey('channelPrefix', channelPrefix),
    fieldKey('trainer', trainer),
  ])
  if (machineId !== null) keys.add(fieldKey('machineId', machineId))
  for (const { path, value } of labelValues(labels)) keys.add(labelKey(path, value))
  return keys
}

export const statusKeys = (statuses: readonly TaskStatus[]): string[] =>
  statuses.map((status) => fieldKey('status', status))

/** What words are looked for in, each value in a line of its own. */
export function searchText({ name, id, trainer, machineId, labels }: Listing): string {
  const values = labels === null ? [] : labelValues(labels).map(({ value }) => String(value))
  return caseless([name ?? '', id, trainer, machineId ?? '', ...values].join('\n'))
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII
const ASCII = /^[\u0000-\u007f]*$/

/** The same for letters that differ in case only: ß is SS, İ and ı are I, and a sigma is one wherever it stands. */
function caseless(text: string): string {
  if (ASCII.test(text)) return text.toLowerCase()
  const lower = text.normalize('NFC').toLowerCase().toUpperCase().toLowerCase()
  return lower.replaceAll('i\u0307', 'i').replaceAll('ς', 'σ')
}

const hasWords = (text: string, words: readonly string[]): boolean =>
  words.every((word) => text.includes(word))

function wordsOf(text: string): readonly string[] {
  const words = [...new Set(caseless(text).split(/\s+/))].filter((word) => word !== '')
  if (words.length <= LIMITS.filterWords) return words
  throw new EpochcastError(
    'BAD_INPUT',
    `filter.text has ${words.length} words; expected at most ${LIMITS.filterWords}`,
  )
}

interface LabelCondition {
  readonly path: readonly string[]
  readonly value: LabelValue
}

/** Those values of labels that can be filtered by, at any depth. */
function labelValues(labels: Json): LabelCondition[] {
  const found: LabelCondition[] = []
  addLabelValues(labels, [], found)
  return found
}

function addLabelValues(labels: Json, path: readonly string[], found: LabelCondition[]): void {
  if (!isObject(labels)) return
  for (const name of Object.keys(labels)) {
    const value = labels[name] as Json
    const at = [...path, name]
    if (isLabelValue(value)) found.push({ path: at, value })
    else addLabelValues(value, at, found)
  }
}

function labelConditions(labels: Json): LabelCondition[] {
  if (labels !== null && !isEmpty(labels)) checkLabels(labels, 'filter.labels')
  const conditions = labelValues(labels)
  if (conditions.length <= LIMITS.filterLabels) return conditions
  throw new EpochcastError(
    'BAD_INPUT',
    `filter.labels has ${conditions.length} values; expected at most ${LIMITS.filterLabels}`,
  )
}

function checkLabels(labels: Json, path: string): void {
  // An empty object within would be a condition that any task meets, even one without such a label.
  if (!isObject(labels) || isEmpty(labels)) {
    throw new EpochcastError(
      'BAD_INPUT',
      `${path} is ${quote(labels)}; expected an object of strings, numbers and booleans`,
    )
  }
  for (const [name, value] of Object.entries(labels)) {
    if (!isLabelValue(value)) checkLabels(value, `${path}.${name}`)
  }
}

function labelAt(labels: Json, path: readonly string[]): Json | undefined {
  let value: Json | undefined = labels
  for (const name of path) value = isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined
  return value
}

const isObject = (value: Json | undefined): value is Readonly<Record<string, Json>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isEmpty = (value: Json): boolean => isObject(value) && Object.keys(value).length === 0

const isLabelValue = (value: Json): value is LabelValue =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
