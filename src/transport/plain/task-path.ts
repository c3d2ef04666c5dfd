import { EpochcastError, quote } from '../../task/errors.ts'

/** A task as the path of a door names it. */
export interface NamedTask {
  readonly id: string
  readonly channelPrefix: string
}

/**
 * `/door/{prefix}/{taskId}`: a prefix with colons stands in one piece, or in several with slashes between.
 *
 * @throws EpochcastError BAD_INPUT
 */
export function taskIn(pathname: string): NamedTask {
  const [, , ...parts] = pathname.split('/')
  const names = parts.map(decoded)
  const id = names.pop()
  if (!id || names.length === 0 || names.includes('')) {
    throw new EpochcastError(
      'BAD_INPUT',
      `the path is ${quote(pathname)}; expected a channelPrefix and the id of a task in it`,
    )
  }
  return { id, channelPrefix: names.join(':') }
}

/** @throws EpochcastError BAD_INPUT */
export function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw new EpochcastError(
      'BAD_INPUT',
      `the path has ${quote(part)}, which is not UTF-8 with percent-encoding`,
    )
  }
}
