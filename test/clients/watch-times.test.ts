import { expect, it } from 'vitest'
import type { ReportInput } from '../../clients/typescript/index.ts'
import { testServer } from '../support/server.ts'
import { until } from '../support/until.ts'
import { report, startExternal, testClient } from './support/server.ts'
import { epochcast, testTerminal } from './support/terminal.ts'

const HOUR_MS = 3_600_000

/** A report of a trainer whose clock is wrong by so many hours. */
const stamped = (hours: number) => ({ timestamp: new Date(Date.now() + hours * HOUR_MS).toISOString() })
const progress = (current: number, hours: number): ReportInput => ({
  progress: { current, total: 100, ...stamped(hours) },
})

it.each([
  [-1, true],
  [1, true],
  [-1, false],
  [1, false],
])(
  "watch tells times by the server's clock where the trainer's is wrong by %i hours",
  async (hours, isTTY) => {
    const { url } = await testServer()
    const client = testClient(url)
    const taskId = await startExternal(client)
    const terminal = testTerminal({ isTTY, env: { NO_COLOR: '1' } })
    const watching = epochcast(url, ['watch', taskId], terminal)
    await until('watching', () => terminal.out !== '')
    await report(client, taskId, { status: { status: 'RUNNING', ...stamped(hours) } }, progress(1, hours))
    const reportedAt = performance.now()
    await until('the training to have gone on for a while', () => performance.now() > reportedAt + 300)
    await report(client, taskId, progress(2, hours))
    if (isTTY) {
      await until('the time left', () => /elapsed \d\.\ds {2}ETA [1-9]/.test(terminal.out), 5000)
      expect(terminal.out).not.toMatch(/elapsed \d+[mh]/)
    }
    await report(client, taskId, { success: { ...stamped(hours) } })
    expect((await watching).code).toBe(0)
    expect(terminal.out).toMatch(new RegExp(`SUCCESS ${taskId} after [0-5]\\.[1-9]s`))
  },
)

it('watch draws epochs that have begun as not yet done', async () => {
  const { url } = await testServer()
  const client = testClient(url)
  const taskId = await startExternal(client)
  const terminal = testTerminal({ isTTY: true, env: { NO_COLOR: '1' } })
  const watching = epochcast(url, ['watch', taskId], terminal)
  await report(client, taskId, { epochStart: { epoch: 0, totalEpochs: 2 } })
  await until('the first epoch', () => / 0 % +epoch 1\/2/.test(terminal.out))
  const tasks = await epochcast(url, ['tasks'])
  expect(tasks.out).toMatch(/ 0% +1\/2 /)
  await report(client, taskId, { epochStart: { epoch: 1 } })
  await until('the last epoch', () => / 50 % +epoch 2\/2/.test(terminal.out))
  expect(terminal.out).not.toContain('100 %')
  await report(client, taskId, { success: {} })
  expect((await watching).code).toBe(0)
})
