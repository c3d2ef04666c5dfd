import { EpochcastError } from '../../task/errors.ts'

/** What Redis says when it is there but cannot serve; the same call may succeed a moment later. */
const NOT_NOW =
  /^(LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|BUSY|NOREPLICAS|MISCONF|UNBLOCKED|MOVED|ASK)\b/

const RETRY_AFTER_MS = 1000

/** Runs commands and turns what can go wrong between here and Redis into the errors of the port. */
export async function translated<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (cause) {
    throw toPortError(cause)
  }
}

/** Replies that only a bug can cause stay what they are. */
export function toPortError(cause: unknown): unknown {
  if (cause instanceof EpochcastError || !(cause instanceof Error)) return cause
  const { message, name } = cause
  if (message.startsWith('OOM')) {
    return new EpochcastError('STORE_FULL', 'Redis is at its maxmemory and takes no more', { cause })
  }
  withoutArguments(cause)
  if (name === 'ReplyError' && !NOT_NOW.test(message)) return cause
  if (cause instanceof TypeError || cause instanceof SyntaxError) return cause
  return new EpochcastError(
    'ENGINE_UNAVAILABLE',
    `Redis is out of reach (${message}); nothing is known to be applied, try again`,
    { cause, details: { retryAfterMs: RETRY_AFTER_MS } },
  )
}

/** ioredis adds the command to its errors, whose arguments are states, parameters, a password: nothing for a log. */
function withoutArguments(error: Error & { command?: { readonly name: string } }): void {
  if (error.command) error.command = { name: error.command.name }
}
