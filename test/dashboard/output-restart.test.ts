import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { openBrowser } from '../support/browser.ts'
import { dataDirectory } from '../support/data-directory.ts'
import { run } from '../support/graphql.ts'
import { runProgram } from '../support/program.ts'
import { serverProcess } from '../support/server.ts'
import { range } from '../support/tasks.ts'
import { until } from '../support/until.ts'
import { openDashboard, SLOW, soon, taskPath, violationsOf } from './support/dashboard-page.ts'

const BIN = join(import.meta.dirname, '../../bin/epochcast.js')

/** Fits a line, slowly, until there is a file of this name. */
const TRAINER = `
  import { existsSync } from 'node:fs'
  let [slope, step] = [0, 0]
  console.error('UserWarning: no graphics card was found')
  while (!existsSync(process.argv[1])) {
    step++
    slope += 0.1 * (3 - slope)
    console.log('step ' + step + ' \\u001b[32mloss ' + ((3 - slope) ** 2).toFixed(6) + '\\u001b[0m')
    await new Promise((resolve) => setTimeout(resolve, 15))
  }
  console.log('done after ' + step + ' steps')`

it(
  'the output of a training that runs elsewhere is watched live over a restart of its server',
  SLOW,
  async () => {
    const { url, kill, start } = await serverProcess({
      EPOCHCAST_DATA: dataDirectory(),
      EPOCHCAST_OUTPUT_QUIET_SECONDS: '0.5',
    })
    const end = dataDirectory()
    const code = ['--', process.execPath, '--input-type=module', '-e', TRAINER, end]
    const { ended, printed } = runProgram(process.execPath, [BIN, 'run', '--name', 'elsewhere', ...code], {
      env: { PATH: process.env.PATH, EPOCHCAST_URL: url },
    })
    const [, taskId = ''] = await until('its task', () => /epochcast: task (\S+)/.exec(printed.err))
    const page = await openDashboard(await openBrowser(), url, taskPath(taskId), {
      mayFail: /WebSocket connection/,
    })
    await page.getByRole('tab', { name: 'Output' }).click()
    const steps = async () =>
      [...(await page.getByRole('log').innerText()).matchAll(/step (\d+) loss/g)].map(([, step]) =>
        Number(step),
      )
    const newest = async () => (await steps()).at(-1) ?? 0
    await soon(newest).toBeGreaterThan(20)
    await kill()
    const output = page.getByRole('region', { name: 'Output' })
    await output.getByText('Reconnecting').waitFor()
    const before = await newest()
    await until('steps that nobody saw', () => printed.out.includes(`step ${before + 30} `))
    await start()
    await expect.poll(newest, { timeout: 30_000 }).toBeGreaterThan(before + 40)
    expect(await violationsOf(page)).toEqual([])
    writeFileSync(end, '')
    expect(await ended, printed.err).toBe(0)
    await output.getByText('Complete').waitFor({ timeout: 20_000 })
    const [, count] = /done after (\d+) steps/.exec(printed.out) ?? []
    await page.getByText(`done after ${count} steps`).waitFor()
    // Every line once: in the page, by its count, and at the server, by each.
    await page.getByText(`${Number(count) + 2} lines`).waitFor()
    const { task } = await run(
      url,
      '{ task(id: "ID") { output(first: 1000) { edges { node { text stream } } } } }'.replace('ID', taskId),
    )
    const texts: string[] = task.output.edges.flatMap(
      ({ node }: { node: { text: string; stream: string } }) => (node.stream === 'STDOUT' ? [node.text] : []),
    )
    expect(texts.map((text) => /\d+/.exec(text)?.[0])).toEqual([
      ...range(1, Number(count)).map(String),
      count,
    ])
  },
)
