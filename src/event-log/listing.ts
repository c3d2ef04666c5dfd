import type { TaskView } from '../task/stream-event.ts'
import type { Json, TaskKey, TaskState, TaskStatus } from '../task/task.ts'

/** What a list of tasks can be searched, filtered and ordered by: a task without its metrics and parameters. */
export interface Listing extends TaskKey {
  readonly serial: number
  /** Higher is newer, within one log: it counts events and edits. */
  readonly version: number
  readonly name: string | null
  readonly trainer: string
  readonly machineId: string | null
  /** Who pays for the task, and about how many bytes; both are absent where a server of an older version told it. */
  readonly owner?: string | null
  readonly bytes?: number
  readonly labels: Json
  readonly status: TaskStatus
  /** Milliseconds since the epoch, as all times of the state. */
  readonly createdAt: number
  readonly updatedAt: number
  readonly finishedAt: number | null
  /** What the silence of its trainer is judged by. Absent where a server of an older version told it, as the two below. */
  readonly heardAt?: number
  readonly stopRequested?: boolean
  readonly holder?: string | null
}

/** What a listing has of the state. An engine that stores it finds tasks without reading their states. */
export type ListedState = Required<Omit<Listing, keyof TaskKey | 'serial' | 'version' | 'owner' | 'bytes'>>

export function listedState(state: TaskState): ListedState {
  const { spec } = state
  return {
    name: spec.name ?? null,
    trainer: spec.trainer,
    machineId: spec.machineId,
    labels: spec.labels,
    status: state.status,
    createdAt: spec.createdAt,
    updatedAt: state.updatedAt,
    finishedAt: state.finishedAt,
    heardAt: state.heardAt,
    stopRequested: state.stopRequested,
    holder: spec.holder,
  }
}

/** Field by field: copies made by spreading are slow to make and to read, and there are as many as there are tasks. */
export const listingFrom = (
  { channelPrefix, id }: TaskKey,
  { serial, version, owner, bytes }: Pick<Listing, 'serial' | 'version' | 'owner' | 'bytes'>,
  listed: ListedState,
): Listing => ({
  channelPrefix,
  id,
  serial,
  version,
  name: listed.name,
  trainer: listed.trainer,
  machineId: listed.machineId,
  owner: owner ?? null,
  bytes: bytes ?? 0,
  labels: listed.labels,
  status: listed.status,
  createdAt: listed.createdAt,
  updatedAt: listed.updatedAt,
  finishedAt: listed.finishedAt,
  heardAt: listed.heardAt,
  stopRequested: listed.stopRequested,
  holder: listed.holder,
})

/** What an engine stores that keeps the listing beside the state, as JSON: about, as a listing has some numbers more. */
export const storedBytes = (state: TaskState): number => jsonBytes(state) + jsonBytes(listedState(state))

const jsonBytes = (value: unknown): number => Buffer.byteLength(JSON.stringify(value))

/** What a watch of listings tells. */
export type ListingChange =
  | { readonly kind: 'listed'; readonly listing: Listing }
  /** The task with this serial is gone; one of the same name may have followed it. */
  | { readonly kind: 'dropped'; readonly serial: number }
  /** The engine was out of reach: any of them may have changed. */
  | { readonly kind: 'unknown' }

/** Time within which a task that changes all the time is listed again. */
export const LISTING_INTERVAL_MS = 10_000

export function listingOf({
  state,
  top,
  serial,
  revision,
  bytes = 0,
}: TaskView & { readonly serial: number; readonly revision: number; readonly bytes?: number }): Listing {
  const { spec } = state
  const version = top.offset + revision
  return listingFrom(spec, { serial, version, owner: spec.owner ?? null, bytes }, listedState(state))
}

/**
 * Whether a writer is to list a task again: its status changed, or it was asked to stop, or not listed for a while.
 *
 * @param listedAt when this process listed it last, by its own clock
 */
export const isListingDue = (
  before: TaskState,
  after: TaskState,
  listedAt: number | undefined,
  now: number,
): boolean =>
  before.status !== after.status ||
  before.stopRequested !== after.stopRequested ||
  listedAt === undefined ||
  now - listedAt >= LISTING_INTERVAL_MS
