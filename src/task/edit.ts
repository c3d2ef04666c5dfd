import type { Json, TaskState } from './task.ts'

/*
 * What people may change of a task at any time, after its end, too. It is no event: it is not part of what happened in
 * the training, and a final event ends it.
 */

export interface TaskEdit {
  readonly name: string | null
  readonly labels: Json
  /** Milliseconds since the epoch, by the server's clock. */
  readonly updatedAt: number
}

/** What is to change; left as it is where undefined. */
export interface TaskChanges {
  readonly name?: string | null | undefined
  readonly labels?: Json | undefined
}

/** Null where nothing changes. */
export function editOf({ spec }: TaskState, changes: TaskChanges, now: number): TaskEdit | null {
  const before = { name: spec.name ?? null, labels: spec.labels }
  const name = changes.name === undefined ? before.name : changes.name
  const labels = changes.labels === undefined ? before.labels : changes.labels
  const isSame = name === before.name && JSON.stringify(labels) === JSON.stringify(before.labels)
  return isSame ? null : { name, labels, updatedAt: now }
}

export function edited(state: TaskState, { name, labels, updatedAt }: TaskEdit): TaskState {
  return {
    ...state,
    spec: { ...state.spec, name, labels },
    updatedAt: Math.max(state.updatedAt, updatedAt),
  }
}

/** The newest edit, as a state shows it. */
export const editIn = ({ spec, updatedAt }: TaskState): TaskEdit => ({
  name: spec.name ?? null,
  labels: spec.labels,
  updatedAt,
})
