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
  const { channelPrefix, id, name, trainer, machineId, labels, createdAt, owner, holder } = state.spec
  return {
    channelPrefix,
    id,
    serial,
    version: top.offset + revision,
    name: name ?? null,
    trainer,
    machineId,
    owner: owner ?? null,
    bytes,
    labels,
    status: state.status,
    createdAt,
    updatedAt: state.updatedAt,
    finishedAt: state.finishedAt,
    heardAt: state.heardAt,
    stopRequested: state.stopRequested,
    holder,
  }
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
