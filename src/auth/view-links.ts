import type { EventLog, Snapshot } from '../event-log/event-log.ts'
import type { Caller } from '../repository/access.ts'
import type { Audit } from '../repository/audit.ts'
import { getForCaller } from '../repository/find-for-caller.ts'
import type { Authenticator } from './authenticator.ts'

export interface TaskLink {
  /** Lets its bearer read one task; null where everybody may. */
  readonly token: string | null
  readonly url: string
  /** Milliseconds since 1970; null where it is a link for good. */
  readonly expiresAt: number | null
}

interface ViewLinksOptions {
  readonly channelPrefixes: readonly string[]
  /** Without a slash at its end. */
  readonly publicUrl: () => string
  /** Told who showed what. */
  readonly audit?: Audit
}

/** Links by which a task is shown to others, for a time. */
export class ViewLinks {
  readonly #log: EventLog
  readonly #authenticator: Authenticator | null
  readonly #options: ViewLinksOptions

  constructor(log: EventLog, authenticator: Authenticator | null, options: ViewLinksOptions) {
    this.#log = log
    this.#authenticator = authenticator
    this.#options = options
  }

  /**
   * Who may change a task may show it to others.
   *
   * @throws EpochcastError UNAUTHENTICATED, FORBIDDEN, TASK_NOT_FOUND, CHANNEL_PREFIX_NOT_ALLOWED, ENGINE_UNAVAILABLE
   */
  async create(caller: Caller, id: string, channelPrefix: string | null, seconds: number): Promise<TaskLink> {
    const asked = { id, channelPrefix, allowedPrefixes: this.#options.channelPrefixes }
    const { state }: Snapshot = await getForCaller(this.#log, caller, 'tasks:write', asked)
    const { spec } = state
    this.#options.audit?.({ action: 'link', caller, task: spec, seconds })
    const url = `${this.#options.publicUrl()}/tasks/${encodeURIComponent(spec.channelPrefix)}/${spec.id}`
    if (this.#authenticator === null) return { token: null, url, expiresAt: null }
    const { token, expiresAt } = await this.#authenticator.issueViewLink(caller, spec, seconds)
    // What is behind the # is not sent to any server, nor written into its log.
    return { token, url: `${url}#token=${token}`, expiresAt }
  }
}
