import { EpochcastError } from '../../task/errors.ts'

/** What Redis says, by the first word, when it is there but cannot serve; the same call may succeed a moment later. */
const NOT_NOW: Readonly<Record<string, string>> = {
  LOADING: 'Redis still reads its data',
  READONLY: 'Redis is a replica at present',
  MASTERDOWN: 'Redis is a replica without its master at present',
  CLUSTERDOWN: 'the Redis cluster cannot serve at present',
  TRYAGAIN: 'the Redis cluster moves its data',
  MOVED: 'the Redis cluster moves its data',
  ASK: 'the Redis cluster moves its data',
  BUSY: 'Redis is busy with a script',
  UNBLOCKED: 'Redis gave up waiting',
  NOREPLICAS: 'Redis has too few replicas to take anything',
  MISCONF: 'Redis cannot save to its disk, and takes nothing',
  NOAUTH: 'Redis refuses this server',
  WRONGPASS: 'Redis refuses this server',
  NOPERM: 'Redis refuses this server',
}

const RETRY_AFTER_MS = 1000

/**
 * Turns what can go wrong between here and Redis into the errors of the port. Clients are told in words of our own: those of
 * Redis and its library are the error's cause, and for the log.
 */
export class PortErrors {
  readonly #onRefused: (error: EpochcastError) => void

  /** @param onRefused told every error that became one of the port's */
  constructor(onRefused: (error: EpochcastError) => void) {
    this.#onRefused = onRefused
  }

  async translated<T>(run: () => Promise<T>): Promise<T> {
    try {
      return await run()
    } catch (cause) {
      throw this.of(cause)
    }
  }

  /** Replies that only a bug can cause stay what they are. */
  of(cause: unknown): unknown {
    const error = toPortError(cause)
    if (error instanceof EpochcastError && error !== cause) this.#onRefused(error)
    return error
  }
}

function toPortError(cause: unknown): unknown {
  if (cause instanceof EpochcastError || !(cause instanceof Error)) return cause
  if (cause instanceof TypeError || cause instanceof SyntaxError) return cause
  withoutArguments(cause)
  if (cause.name !== 'ReplyError') return unavailable('Redis is out of reach', cause)
  const word = firstWord(cause.message)
  if (word === 'OOM')
    return new EpochcastError('STORE_FULL', 'Redis is at its maxmemory and takes no more', { cause })
  return Object.hasOwn(NOT_NOW, word) ? unavailable(NOT_NOW[word] as string, cause) : cause
}

/** Before Redis 7, what a command in a script says stands behind where in the script that was. */
const firstWord = (message: string): string => /^(?:ERR .*: -)?([A-Z]+)\b/.exec(message)?.[1] ?? ''

const unavailable = (words: string, cause: Error): EpochcastError =>
  new EpochcastError('ENGINE_UNAVAILABLE', `${words}; nothing is known to be applied, try again`, {
    cause,
    details: { retryAfterMs: RETRY_AFTER_MS },
  })

/** ioredis adds the command to its errors, whose arguments are states, parameters, a password: nothing for a log. */
function withoutArguments(error: Error & { command?: { readonly name: string } }): void {
  if (error.command) error.command = { name: error.command.name }
}
