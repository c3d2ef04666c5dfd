import type { TaskKey } from '../task/task.ts'
import type { Caller } from './access.ts'

/** What somebody did to a task, through whatever door. */
export interface AuditEntry {
  readonly action: 'start' | 'cancel' | 'update' | 'delete' | 'link'
  readonly caller: Pick<Caller, 'subject' | 'address'>
  readonly task: TaskKey
  /** Of a start: its trainer. */
  readonly trainer?: string
  /** Of a link: for how long. */
  readonly seconds?: number
  /** Of an update: what was changed, not to what. */
  readonly changed?: readonly string[]
}

/** Told of each, once it is done. */
export type Audit = (entry: AuditEntry) => void
