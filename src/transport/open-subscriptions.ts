import { GraphQLError } from 'graphql'
import type { Plugin } from 'graphql-yoga'
import { EpochcastError } from '../task/errors.ts'

/** Counts the subscriptions of this process, whatever carries them, and bounds their number. */
export class OpenSubscriptions {
  readonly #max: number
  #open = 0

  constructor(max: number) {
    this.#max = max
  }

  get count(): number {
    return this.#open
  }

  plugin(): Plugin {
    const subscriptions = this
    return {
      onSubscribe({ setResultAndStopExecution }) {
        if (subscriptions.#open >= subscriptions.#max) {
          const { message, extensions } = new EpochcastError(
            'TOO_MANY_SUBSCRIPTIONS',
            `the server has ${subscriptions.#open} open subscriptions; expected at most ${subscriptions.#max} (EPOCHCAST_MAX_SUBSCRIPTIONS)`,
          )
          setResultAndStopExecution({ errors: [new GraphQLError(message, { extensions })] })
          return
        }
        subscriptions.#open++
        let open = true
        const close = () => {
          if (open) subscriptions.#open--
          open = false
        }
        return {
          onSubscribeResult({ result }) {
            if (!isAsyncIterable(result)) close()
            return { onEnd: close }
          },
          onSubscribeError: close,
        }
      },
    }
  }
}

const isAsyncIterable = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Symbol.asyncIterator in value
