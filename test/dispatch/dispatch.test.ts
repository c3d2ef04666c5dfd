import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Dispatch } from '../../src/dispatch/dispatch.ts'
import { Trainers } from '../../src/dispatch/trainers.ts'
import { MemoryStore } from '../../src/event-log/memory.ts'
import { TaskWriter } from '../../src/event-log/task-writer.ts'
import type { Job } from '../../src/launcher/launcher.ts'
import { ANYONE } from '../../src/repository/access.ts'
import { EpochcastError, type ErrorCode } from '../../src/task/errors.ts'
import { until } from '../support/until.ts'

let log: MemoryStore
let dispatch: Dispatch
let launched: Job[]
let places: number
beforeEach(() => {
  log = new MemoryStore({ retainEvents: 1000, retainSeconds: 3600, maxBytes: 10_000_000 })
  dispatch = new Dispatch(log, new TaskWriter(log), Trainers.load(null, []), {
    channelPrefixes: ['gan:training'],
    serverId: 'this',
    onError: (error) => {
      throw error
    },
  })
  launched = []
  places = 0
  dispatch.use({
    name: 'external',
    endsWithServer: true,
    reserve: () => {
      places++
      return {
        launch: (job) => {
          places--
          launched.push(job)
        },
        giveBack: () => {
          places--
        },
      }
    },
    stop: () => {},
    close: async () => {},
  })
})
afterEach(async () => {
  await dispatch.close()
  await log.close()
})

const request = (idempotencyKey: string | null) => ({
  trainer: null,
  channelPrefix: null,
  machineId: null,
  epochs: null,
  params: {},
  labels: null,
  idempotencyKey,
})

/** The next call of a method has its effect, and fails all the same. */
function loseAnswer(method: 'create' | 'append', code: ErrorCode, isApplied: boolean): void {
  const real = log[method].bind(log) as (...args: unknown[]) => Promise<never>
  vi.spyOn(log, method).mockImplementationOnce(async (...args: unknown[]) => {
    if (isApplied) await real(...args)
    throw new EpochcastError(code, 'the answer was lost')
  })
}

describe('a start whose answer is lost', () => {
  it('is launched all the same where its caller can come back for it', async () => {
    loseAnswer('create', 'ENGINE_UNAVAILABLE', true)
    await expect(dispatch.start(ANYONE, request('key'))).rejects.toMatchObject({ code: 'ENGINE_UNAVAILABLE' })
    await until('the launch', () => launched.length === 1)
    const again = await dispatch.start(ANYONE, request('key'))
    expect(again.snapshot.state.spec.id).toBe(launched[0]?.key.id)
    expect([launched.length, places]).toEqual([1, 0])
  })

  it('ends where nobody knows of it', async () => {
    loseAnswer('create', 'ENGINE_UNAVAILABLE', true)
    await expect(dispatch.start(ANYONE, request(null))).rejects.toMatchObject({ code: 'ENGINE_UNAVAILABLE' })
    await until('its end', async () => (await log.list('unfinished', null, 1)).snapshots.length === 0)
    const [snapshot] = (await log.list('all', null, 1)).snapshots
    expect(snapshot?.state.error?.type).toBe('NotStarted')
    await until('its place to be given back', () => places === 0)
    expect(launched).toEqual([])
  })

  it('takes no place where it had no effect', async () => {
    loseAnswer('create', 'ENGINE_UNAVAILABLE', false)
    await expect(dispatch.start(ANYONE, request('key'))).rejects.toMatchObject({ code: 'ENGINE_UNAVAILABLE' })
    await until('its place to be given back', () => places === 0)
    await dispatch.start(ANYONE, request('key'))
    expect(launched).toHaveLength(1)
  })
})

it.each(['ENGINE_UNAVAILABLE', 'STORE_FULL', 'CONTENDED'] as const)(
  'the end of a process is recorded, if only after %s',
  async (code) => {
    const { snapshot } = await dispatch.start(ANYONE, request(null))
    loseAnswer('append', code, false)
    dispatch.ended(launched[0] as Job, { message: 'it exited with code 3', type: 'ExitCode' })
    await until('the end', async () => (await log.snapshot(snapshot.state.spec))?.state.status === 'FAILURE')
  },
)
