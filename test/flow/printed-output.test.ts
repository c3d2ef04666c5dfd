import { expect, it } from 'vitest'
import { collect, type Data, run, START, TASK, webSocketClient } from '../support/graphql.ts'
import { WATCH_OUTPUT } from '../support/output.ts'
import { testServer, trainersFile } from '../support/server.ts'
import { SECRET_ENV, token } from '../support/tokens.ts'
import { until } from '../support/until.ts'

const OUTPUT = /* GraphQL */ `
  query ($id: ID!) { task(id: $id) { output(first: 1000) { edges { node { stream text isCut } } } } }`

const TRAINERS = {
  prints: `
    console.log('loss 0.5')
    console.error('a warning')
    process.stdout.write('\\r 10 %\\r 50 %\\r100 %\\n')
    process.stdout.write(Buffer.from([0x61, 0xff, 0x62, 0x0a]))
    process.stdout.write('\\u001b[32mgreen\\u001b[0m\\n')
    await report({ success: { result: null } })
    console.log('after the report')
    process.stdout.write('without an end')`,
  tells: `
    console.log('the token is ' + EPOCHCAST_TOKEN)
    process.stdout.write(EPOCHCAST_TOKEN.slice(0, 40))
    await new Promise((resolve) => setTimeout(resolve, 1500))
    process.stdout.write(EPOCHCAST_TOKEN.slice(40) + '\\n')
    console.error('x'.repeat(16384 - 40) + EPOCHCAST_TOKEN)
    process.exitCode = 3`,
}

const serverWith = (env: Record<string, string> = {}) =>
  testServer({ EPOCHCAST_TRAINERS: trainersFile(TRAINERS), EPOCHCAST_OUTPUT_QUIET_SECONDS: '0.3', ...env })

it('what a local trainer prints is its task’s output, up to what comes after its report', async () => {
  const { url, webSocketUrl } = await serverWith()
  const { startTraining } = await run(url, START, { input: { trainer: 'prints' } })
  const taskId: string = startTraining.task.id
  const results = await collect(webSocketClient(webSocketUrl), WATCH_OUTPUT, { taskId, last: 100 })
  const lines: Data[] = results.map(({ data }) => data.taskOutput)
  const of = (stream: string) => lines.filter((line) => line.stream === stream).map(({ text }) => text)
  expect(of('STDOUT')).toEqual([
    ...['loss 0.5', '100 %', 'a\ufffdb', '\u001b[32mgreen\u001b[0m', 'after the report', 'without an end'],
  ])
  expect(of('STDERR')).toEqual(['a warning'])
  expect(lines.every(({ skip, isCut, member }) => skip === null && !isCut && member === null)).toBe(true)
})

it('the report token is in nothing that a trainer prints, nor in the message of its failure', async () => {
  const { url } = await serverWith(SECRET_ENV)
  const operator = await token({ scope: 'operator' })
  const id: string = (await run(url, START, { input: { trainer: 'tells' } }, operator)).startTraining.task.id
  const { error } = await until('its end', async () => {
    const { task } = await run(url, TASK, { id }, operator)
    return task.status === 'FAILURE' ? task : null
  })
  const { edges } = (await run(url, OUTPUT, { id }, operator)).task.output
  const of = (stream: string): string[] =>
    edges.flatMap(({ node }: Data) => (node.stream === stream ? [node.text] : []))
  // It came in two parts, and lay across the bound of a line.
  expect(of('STDOUT')).toEqual(['the token is [redacted]', '[redacted]'])
  expect(of('STDERR').join('')).toBe(`${'x'.repeat(16_384 - 40)}[redacted]`)
  expect(error.message).toMatch(/exited with code 3; the end of its output:\n….*\[redacted\]$/s)
  expect(JSON.stringify([edges, error])).not.toContain('eyJ')
})
