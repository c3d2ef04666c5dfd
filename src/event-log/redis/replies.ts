import type { Position } from '../../task/position.ts'
import type { TaskState } from '../../task/task.ts'
import type { CurvesRead } from '../curve-store.ts'
import type { CreateResult, LogEntry, ReadResult, StoredSnapshot } from '../event-log.ts'
import { type Listing, listingFrom } from '../listing.ts'
import { refusalOf } from '../log-extent.ts'
import { listedIn } from './watches.ts'

/** What create.lua returns. */
export type CreateReply =
  | readonly [created: -1]
  | readonly [
      created: 0 | 1,
      generation: string,
      top: string,
      serial: string,
      state: string,
      revision: string,
      folded: string,
      logBytes: string,
      curveBytes: string,
      listingBytes: string,
      outputBytes: string,
    ]

export function createResultOf(reply: CreateReply): CreateResult {
  if (reply[0] === -1) return { kind: 'dropped' }
  const [created, generation, top, serial, state, revision, folded, ...bytes] = reply
  const [logBytes, curveBytes, listingBytes, outputBytes] = bytes
  const counts = { revision, folded, logBytes, curveBytes, listingBytes, outputBytes }
  return {
    kind: created ? 'created' : 'exists',
    snapshot: snapshotOf(generation, top, serial, state, counts),
  }
}

/** What read.lua returns. */
export type ReadReply = readonly [
  generation: string,
  top: string,
  oldest: string,
  previous: string,
  common: string,
  revision: string,
  entries: readonly StreamEntry[],
]

export function readResultOf(reply: ReadReply, after: Position | null): ReadResult {
  const [generation, top, oldest, previous, common, revision, entries] = reply
  const extent = {
    generation,
    previous: previous === '' ? null : { generation: previous, offset: Number(common) },
    top: Number(top),
    oldest: Number(oldest),
  }
  const refusal = after && refusalOf(extent, after)
  if (refusal) return refusal
  return {
    kind: 'entries',
    top: { generation, offset: extent.top },
    revision: Number(revision),
    entries: entries.map(entryOf),
  }
}

/** What read-curves.lua returns. */
export type CurvesReply = readonly [
  generation: string,
  top: string,
  index: string,
  entries: readonly StreamEntry[],
]

export const curvesReadOf = ([generation, top, index, entries]: CurvesReply): CurvesRead => ({
  top: { generation, offset: Number(top) },
  index: index || null,
  entries: entries.map(entryOf),
})

/** What read-output.lua returns. */
export type OutputReply = readonly [
  generation: string,
  top: string,
  oldest: string,
  previous: string,
  common: string,
  state: string,
  chunks: readonly (readonly [first: string, text: string])[],
]

/** An entry of a stream: `offset-0`, the field's name and the event as JSON. */
type StreamEntry = readonly [id: string, fields: readonly [name: string, text: string]]

const entryOf = ([id, [, text]]: StreamEntry): LogEntry => ({
  offset: Number.parseInt(id, 10),
  event: JSON.parse(text),
})

/** About what Redis takes beside the texts, as in append.lua: for the keys and lists of a task, and for an entry. */
const TASK_BYTES = 1024
const ENTRY_BYTES = 48

/** About what Redis takes for a task with these events and nothing else. */
export const bytesOfNew = (state: string, listing: string, events: readonly string[]): number =>
  events.reduce(
    (sum, event) => sum + Buffer.byteLength(event) + ENTRY_BYTES,
    TASK_BYTES + Buffer.byteLength(state) + Buffer.byteLength(listing),
  )

type Count = string | null | undefined
type ByteCounts = Readonly<Record<'logBytes' | 'curveBytes' | 'listingBytes' | 'outputBytes', Count>>

const bytesOf = (
  stateBytes: number,
  { logBytes, curveBytes, listingBytes, outputBytes }: ByteCounts,
): number =>
  [logBytes, curveBytes, listingBytes, outputBytes].reduce<number>(
    (sum, bytes) => sum + Number(bytes ?? 0),
    TASK_BYTES + stateBytes,
  )

/** @param counts absent where the task was never edited, nothing of it folded, or it was stored before they were kept */
export function snapshotOf(
  generation: string,
  top: string,
  serial: string,
  state: string,
  counts: Readonly<Record<'revision' | 'folded', Count>> & ByteCounts,
): StoredSnapshot {
  return {
    top: { generation, offset: Number(top) },
    serial: Number(serial),
    state: JSON.parse(state) as TaskState,
    revision: Number(counts.revision ?? 0),
    folded: Number(counts.folded ?? 0),
    bytes: bytesOf(Buffer.byteLength(state), counts),
  }
}

export const SNAPSHOT_FIELDS = [
  ...['generation', 'top', 'serial', 'state', 'revision', 'folded'],
  ...['logBytes', 'curveBytes', 'listingBytes', 'outputBytes'],
]

/** The task in those fields of its state; null where there is none. */
export function storedSnapshot(fields: readonly (string | null)[]): StoredSnapshot | null {
  const [generation, top, serial, state, revision, folded, ...bytes] = fields
  if (!generation || !top || !serial || !state) return null
  const [logBytes, curveBytes, listingBytes, outputBytes] = bytes
  const counts = { revision, folded, logBytes, curveBytes, listingBytes, outputBytes }
  return snapshotOf(generation, top, serial, state, counts)
}

export const LISTING_FIELDS = [
  ...['listing', 'top', 'serial', 'revision', 'logBytes', 'curveBytes', 'listingBytes', 'outputBytes'],
]

/**
 * The listing of a task from those fields of its state; null where there is no such task. `stale` where the one that is
 * stored is older than the task: the last appends of a task that goes on have none, nor has what another version wrote.
 */
export function storedListing(fields: readonly (string | null)[]): Listing | 'stale' | null {
  const [stored, top, serial, revision, logBytes, curveBytes, listingBytes, outputBytes] = fields
  if (!top || !serial) return null
  const space = stored?.indexOf(' ') ?? -1
  const listing = stored && listedIn(stored.slice(space + 1))
  const version = Number(top) + Number(revision ?? 0)
  if (!listing || listing.version !== version || !isWhole(listing)) return 'stale'
  const counts = { logBytes, curveBytes, listingBytes, outputBytes }
  const bytes = bytesOf(Number(stored.slice(0, space)), counts)
  return listingFrom(listing, { serial: Number(serial), version, owner: listing.owner, bytes }, listing)
}

const isWhole = (listing: Listing): listing is Required<Listing> => listing.holder !== undefined
