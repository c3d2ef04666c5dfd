import { tooSlow } from './receive.ts'
import type { Result, ResumedOperation, ResumingSink } from './resumed-operation.ts'

/**
 * An operation as an async iterator, with a bounded buffer. A reader that is slower than the events of a training loses
 * nothing: when its buffer is full the subscription is left, and taken up again at its cursor once there is room.
 *
 * @throws (by `next`) whatever the operation ended with; CONSUMER_TOO_SLOW where states came faster than they were taken
 */
export function iterateOperation(
  operate: (sink: ResumingSink) => ResumedOperation,
  maxBuffered: number,
): AsyncIterableIterator<Result, undefined> {
  const buffered: Result[] = []
  let ending: { readonly cause: unknown } | undefined
  let isPaused = false
  let wake = () => {}
  const operation = operate({
    next: (result) => {
      buffered.push(result)
      if (buffered.length >= maxBuffered) {
        if (operation.document.goesOn) {
          isPaused = true
          operation.pause()
        } else {
          operation.end(tooSlow(maxBuffered))
        }
      }
      wake()
    },
    error: (cause) => {
      ending = { cause }
      wake()
    },
    complete: () => {
      ending ??= { cause: undefined }
      wake()
    },
  })
  async function* iterate(): AsyncGenerator<Result, undefined, undefined> {
    try {
      for (;;) {
        const result = buffered.shift()
        if (result) {
          yield result
        } else if (isPaused) {
          isPaused = false
          operation.resume()
        } else if (ending) {
          if (ending.cause !== undefined) throw ending.cause
          return undefined
        } else {
          await new Promise<void>((resolve) => {
            wake = resolve
          })
        }
      }
    } finally {
      operation.leave()
    }
  }
  const generator = iterate()
  return {
    next: () => generator.next(),
    // The generator's own would wait for the value after.
    return: async () => {
      operation.leave()
      ending = { cause: undefined }
      buffered.length = 0
      isPaused = false
      wake()
      return { done: true, value: undefined }
    },
    throw: async (error) => {
      operation.leave()
      buffered.length = 0
      ending = { cause: error }
      wake()
      return { done: true, value: undefined }
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}
