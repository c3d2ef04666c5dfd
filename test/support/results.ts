import type { ExecutionResult } from 'graphql'
import type { EventBatch, Outlet } from '../../src/delivery/outlet.ts'
import type { SharedSubscription } from '../../src/execution/fan-out.ts'

/** The results of a shared subscription, one after the other, for a test to read. */
export async function* resultsOf(
  subscription: SharedSubscription,
): AsyncGenerator<ExecutionResult, void, void> {
  const texts: string[] = []
  let wake = () => {}
  let isOver = false
  let failure: unknown
  const add = (...more: readonly string[]) => {
    texts.push(...more)
    wake()
  }
  const outlet: Outlet = {
    send: (batch: EventBatch, from, to) => {
      add(...batch.texts.slice(from, to))
      return to
    },
    sendOwn: (text) => add(text),
    drained: async () => {},
  }
  const subscriber = subscription.deliverTo(outlet)
  const end = (error?: unknown) => {
    isOver = true
    failure = error
    wake()
  }
  subscriber.start().then(() => end(), end)
  try {
    for (;;) {
      const text = texts.shift()
      if (text !== undefined) yield JSON.parse(text) as ExecutionResult
      else if (failure) throw failure
      else if (isOver) return
      else
        await new Promise<void>((resolve) => {
          wake = resolve
        })
    }
  } finally {
    await subscriber.stop()
  }
}
