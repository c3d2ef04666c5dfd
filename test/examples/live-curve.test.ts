import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { progressReports, report, startExternal } from '../support/graphql.ts'
import { testServer } from '../support/server.ts'
import { range } from '../support/tasks.ts'

const EXAMPLE = join(import.meta.dirname, '../../examples/live-curve.js')

it('the example draws a curve from its first step, and follows it without a seam to the end', async () => {
  const { url } = await testServer({ EPOCHCAST_RETAIN_EVENTS: '50' })
  const taskId = await startExternal(url)
  await report(url, taskId, ...progressReports(1, 300))

  let drawn = ''
  const example = execFile(process.execPath, [EXAMPLE, url, taskId])
  onTestFinished(() => void example.kill('SIGKILL'))
  example.stdout?.on('data', (text: string) => {
    drawn += text
  })
  const ended = new Promise((resolve) => example.on('exit', resolve))
  await expect.poll(() => drawn, { timeout: 10_000 }).toContain('300\t')
  await report(url, taskId, ...progressReports(301, 320), { success: {} })

  expect(await ended).toBe(0)
  const steps = drawn.trim().split('\n')
  expect(steps).toEqual(range(1, 320).map((step) => `${step}\t${1 / step}`))
})
