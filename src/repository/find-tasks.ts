import type { Snapshot } from '../event-log/event-log.ts'
import { type Listing, listingOf } from '../event-log/listing.ts'
import type { ListPage, TaskIndex } from '../event-log/task-index.ts'
import { EpochcastError, quote } from '../task/errors.ts'
import type { Caller } from './access.ts'
import type { ChangePlace } from './catalog-index.ts'
import type { CatalogWalk } from './catalog-walk.ts'
import type { TaskCatalog } from './task-catalog.ts'
import { type TaskFilter, type TaskQuery, taskQuery } from './task-filter.ts'

export const TASK_ORDERS = ['CREATED_DESC', 'CREATED_ASC', 'UPDATED_DESC'] as const
export type TaskOrder = (typeof TASK_ORDERS)[number]

export interface TaskPageRequest {
  readonly order: TaskOrder
  /** A cursor of an earlier page in the same order. */
  readonly after: string | null
  readonly limit: number
}

export interface TaskPage {
  readonly tasks: readonly { readonly cursor: string; readonly snapshot: Snapshot }[]
  readonly hasMore: boolean
}

/**
 * A page of the tasks that match, each as it is now.
 *
 * @throws EpochcastError BAD_CURSOR, ENGINE_UNAVAILABLE
 */
export async function findTasks(
  catalog: TaskCatalog,
  query: TaskQuery,
  { order, after, limit }: TaskPageRequest,
): Promise<TaskPage> {
  let place = after === null ? null : parseCursor(after, order)
  await catalog.loaded()
  const found: { readonly place: ChangePlace; readonly snapshot: Snapshot }[] = []
  for (;;) {
    const wanted = limit + 1 - found.length
    // All at once: the index may change while tasks are looked up.
    const candidates = await take(
      candidatesOf(catalog.walk, query, { order, after: place, limit: wanted }),
      wanted,
    )
    const snapshots = await Promise.all(candidates.map((listing) => catalog.fresh(listing)))
    snapshots.forEach((snapshot, i) => {
      if (snapshot && query.matches(listingOf(snapshot)))
        found.push({ place: candidates[i] as Listing, snapshot })
    })
    place = candidates.at(-1) ?? null
    if (candidates.length < wanted || found.length > limit) break
  }
  const page = found.slice(0, limit)
  const snapshots = page.map(({ snapshot }) => snapshot)
  // The catalog may be some seconds behind. Cursors are its places, so that what moves meanwhile loses nothing else.
  if (order === 'UPDATED_DESC') snapshots.sort((a, b) => b.state.updatedAt - a.state.updatedAt)
  return {
    tasks: snapshots.map((snapshot, i) => ({
      cursor: cursorOf((page[i] as (typeof page)[number]).place, order),
      snapshot,
    })),
    hasMore: found.length > limit,
  }
}

const rightsKey = ({ taskIds, channelPrefixes, labels }: Caller) => [
  taskIds && [...taskIds],
  channelPrefixes && [...channelPrefixes],
  labels && Array.from(labels, ([name, values]) => [name, [...values]]),
]

const searches = new WeakMap<TaskCatalog, Map<string, Promise<TaskPage>>>()

/**
 * As `findTasks`, for equal searches that begin in one turn of the event loop, as aliases of one operation do: they are
 * one. Those of later turns are searches of their own, so that whoever was told of a change finds it.
 *
 * @throws EpochcastError BAD_INPUT, BAD_CURSOR, ENGINE_UNAVAILABLE
 */
export function findTasksOnce(
  catalog: TaskCatalog,
  filter: TaskFilter,
  caller: Caller,
  request: TaskPageRequest,
): Promise<TaskPage> {
  const { order, after, limit } = request
  const rights = rightsKey(caller)
  const key = JSON.stringify([filter, rights, order, after, limit])
  let ofTurn = searches.get(catalog)
  if (!ofTurn) {
    ofTurn = new Map()
    searches.set(catalog, ofTurn)
    setImmediate(() => searches.delete(catalog))
  }
  let search = ofTurn.get(key)
  if (!search) {
    search = findTasks(catalog, taskQuery(filter, caller), request)
    ofTurn.set(key, search)
  }
  return search
}

/** A page of all tasks in the order in which they were created, newest first, as the engine lists them. */
export async function listTasks(
  tasks: TaskIndex,
  catalog: TaskCatalog,
  { after, limit }: Pick<TaskPageRequest, 'after' | 'limit'>,
): Promise<TaskPage> {
  const order = 'CREATED_DESC'
  const snapshots: Snapshot[] = []
  let before = after === null ? null : parseCursor(after, order).serial
  let hasMore = true
  while (hasMore && snapshots.length <= limit) {
    const page: ListPage = await tasks.list('all', before, limit - snapshots.length + 1)
    // Those of other servers, which share the store, are passed over.
    snapshots.push(...page.snapshots.filter(({ state }) => catalog.covers(state.spec)))
    hasMore = page.hasMore
    before = page.snapshots.at(-1)?.serial ?? null
  }
  return {
    tasks: snapshots.slice(0, limit).map((snapshot) => ({
      cursor: cursorOf({ serial: snapshot.serial, updatedAt: 0 }, order),
      snapshot,
    })),
    hasMore: snapshots.length > limit,
  }
}

const candidatesOf = (
  walk: CatalogWalk,
  query: TaskQuery,
  { order, after, limit }: { order: TaskOrder; after: ChangePlace | null; limit: number },
) =>
  order === 'UPDATED_DESC'
    ? walk.byChange(query, after, limit)
    : walk.byCreation(query, order === 'CREATED_DESC', after?.serial)

async function take(listings: AsyncIterable<Listing>, count: number): Promise<Listing[]> {
  const taken: Listing[] = []
  for await (const listing of listings) {
    taken.push(listing)
    if (taken.length === count) break
  }
  return taken
}

export function cursorOf({ serial, updatedAt }: ChangePlace, order: TaskOrder): string {
  const text = serial.toString(36)
  return order === 'UPDATED_DESC' ? `u${updatedAt.toString(36)}.${text}` : `t${text}`
}

const BY_CREATION = /^t([0-9a-z]{1,10})$/
const BY_CHANGE = /^u([0-9a-z]{1,10})\.([0-9a-z]{1,10})$/

/** @throws EpochcastError BAD_CURSOR */
export function parseCursor(cursor: string, order: TaskOrder): ChangePlace {
  const [, created] = BY_CREATION.exec(cursor) ?? []
  const [, updatedAt, serial] = BY_CHANGE.exec(cursor) ?? []
  if (order === 'UPDATED_DESC' && updatedAt !== undefined && serial !== undefined)
    return { updatedAt: Number.parseInt(updatedAt, 36), serial: Number.parseInt(serial, 36) }
  if (order !== 'UPDATED_DESC' && created !== undefined)
    return { updatedAt: 0, serial: Number.parseInt(created, 36) }
  const isOfAnother = created !== undefined || updatedAt !== undefined
  const found = isOfAnother ? 'a cursor of a list in another order' : quote(cursor)
  throw new EpochcastError(
    'BAD_CURSOR',
    `after is ${found}; expected a cursor of an edge or of pageInfo of this list with orderBy ${order}`,
  )
}
