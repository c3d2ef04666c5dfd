// Subscribers in a process of their own, of the lowest priority: a storm of them must not take from others on
// their core what the measured server would be blamed for. Run as a process it is that crowd.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { constants, setPriority } from 'node:os'
import { end, endWithUs } from '../../test/processes/lifetime.ts'
import { Audience } from './audience.ts'
import type { Dialect } from './dialects.ts'
import { WatchedTask } from './watched-task.ts'

export interface Storm {
  readonly target: { port: number; dialect: Dialect }
  readonly taskId: string
  /** Events of the task, all of which each of them must see from `after` on. */
  readonly reported: number
  /** Of subscribers. */
  readonly count: number
  readonly after: { sequence: number; cursor: string }
}

/** Prepares a storm of subscribers; `go` resolves with the ms until all of them have seen everything. */
export async function stormElsewhere(storm: Storm) {
  const child = endWithUs(fork(import.meta.filename))
  const heard = async () => {
    const [answer] = await Promise.race([
      once(child, 'message'),
      once(child, 'exit').then(() => [{ error: 'the storm ended by itself' }]),
    ])
    if (answer.error) throw new Error(answer.error)
    return answer
  }
  await heard()
  return {
    go: async () => {
      child.send(storm)
      return (await heard()).ms as number
    },
    leave: () => end(child),
  }
}

if (process.argv[1] === import.meta.filename) {
  setPriority(constants.priority.PRIORITY_LOW)
  process.on('disconnect', () => process.exit())
  process.once('message', async (storm: Storm) => {
    try {
      process.send?.({ ms: await rage(storm) })
    } catch (error) {
      process.send?.({ error: String((error as Error).stack) })
    }
  })
  process.send?.({ isReady: true })
}

async function rage({ target, taskId, reported, count, after }: Storm) {
  const task = new WatchedTask(taskId)
  task.reported = reported
  const audience = new Audience(target)
  const startedAt = performance.now()
  await audience.expect(count * (reported - after.sequence), () => audience.storm(count, [task], { after }))
  const ms = performance.now() - startedAt
  await audience.settle()
  return ms
}
