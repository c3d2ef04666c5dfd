import { EpochcastError } from '../task/errors.ts'

/**
 * Has what fails in a queue's connection be the one refusal that is tried again.
 *
 * @param what the queue, for people
 */
export async function reaching<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    if (cause instanceof EpochcastError) throw cause
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new EpochcastError('QUEUE_UNAVAILABLE', `${what} is out of reach: ${why}`, { cause })
  }
}
