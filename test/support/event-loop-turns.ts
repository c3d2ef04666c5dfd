import { onTestFinished } from 'vitest'

/** Counts turns of the event loop from now on, until the test is over. */
export function eventLoopTurns(): { readonly count: number } {
  const turns = { count: 0 }
  let isOver = false
  onTestFinished(() => {
    isOver = true
  })
  const next = () => {
    turns.count++
    if (!isOver) setImmediate(next)
  }
  setImmediate(next)
  return turns
}
