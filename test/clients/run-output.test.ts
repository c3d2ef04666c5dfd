import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { expect, it } from 'vitest'
import { RunOutput } from '../../clients/cli/run-output.ts'
import { type Data, run } from '../support/graphql.ts'
import { type Program, runProgram } from '../support/program.ts'
import { testServer } from '../support/server.ts'
import { range } from '../support/tasks.ts'
import { SECRET_ENV, token } from '../support/tokens.ts'
import { until } from '../support/until.ts'
import { startGateway } from './support/gateway.ts'

/*
 * What a program prints that `epochcast run` watches over.
 */

const BIN = join(import.meta.dirname, '../../bin/epochcast.js')

function epochcast(
  url: string,
  code: string,
  options: readonly string[] = [],
  env: Record<string, string> = {},
): Program {
  const command = [process.execPath, '--input-type=module', '-e', code]
  return runProgram(process.execPath, [BIN, 'run', ...options, '--', ...command], {
    env: { PATH: process.env.PATH, EPOCHCAST_URL: url, ...env },
  })
}

const OUTPUT = /* GraphQL */ `
  query ($id: ID!, $after: Cursor) { task(id: $id) { output(first: 1000, after: $after) {
    edges { node { stream text isCut skip { lines reason } } } pageInfo { hasNextPage endCursor } } } }`

/** All that is kept of the only task. */
async function outputOf(url: string, bearer?: string): Promise<Data[]> {
  const { tasks } = await run(url, '{ tasks { edges { node { id } } } }', {}, bearer)
  expect(tasks.edges).toHaveLength(1)
  const lines: Data[] = []
  let after: string | null = null
  do {
    const variables = { id: tasks.edges[0].node.id, after }
    const { task }: Data = await run(url, OUTPUT, variables, bearer)
    const { edges, pageInfo } = task.output
    lines.push(...edges.map(({ node }: Data) => node))
    after = pageInfo.hasNextPage ? pageInfo.endCursor : null
  } while (after !== null)
  return lines
}

const textsOf = (lines: readonly Data[], stream?: string): string[] =>
  lines.filter((line) => stream === undefined || line.stream === stream).map(({ text }) => text)

/** Says when the server of `EPOCHCAST_URL` is out of reach, and when it is back. */
const WAITS = `
  const isAway = () => fetch(process.env.EPOCHCAST_URL, { method: 'POST' }).then(() => false, () => true)
  const wait = async (wanted) => {
    while ((await isAway()) !== wanted) await new Promise((resolve) => setTimeout(resolve, 20))
  }`

it('goes to the server as well as to the terminal, by lines, without the report token', async () => {
  const { url } = await testServer(SECRET_ENV)
  const bearer = await token({ scope: 'trainer' })
  const code = `
    console.log('\\u001b[32mgreen\\u001b[0m')
    process.stdout.write('\\r 10 %\\r 50 %\\r100 %\\n')
    console.log('token', process.env.EPOCHCAST_TOKEN)
    console.error('a warning')
    process.stdout.write('without an end')`
  const { ended, printed } = epochcast(url, code, [], { EPOCHCAST_TOKEN: bearer })
  expect(await ended, printed.err).toBe(0)
  const reportToken = /token (.*)/.exec(printed.out)?.[1] ?? ''
  expect(reportToken).toMatch(/^ey/)
  expect(printed.out).toBe(
    `\u001b[32mgreen\u001b[0m\n\r 10 %\r 50 %\r100 %\ntoken ${reportToken}\nwithout an end`,
  )
  const viewer = await token({ scope: 'viewer' })
  const lines = await outputOf(url, viewer)
  expect(textsOf(lines, 'STDOUT')).toEqual([
    '\u001b[32mgreen\u001b[0m',
    '100 %',
    'token [redacted]',
    'without an end',
  ])
  expect(textsOf(lines, 'STDERR')).toEqual(['a warning'])
})

it('stays here with --no-output', async () => {
  const { url } = await testServer()
  const { ended, printed } = epochcast(url, `console.log('for me alone')`, ['--no-output'])
  expect(await ended, printed.err).toBe(0)
  expect(printed.out).toBe('for me alone\n')
  expect(await outputOf(url)).toEqual([])
})

it('has each line once, whatever replies are lost and however long the server is away meanwhile', async () => {
  const { url } = await testServer()
  const gateway = await startGateway(url)
  const code = `${WAITS}
    for (let i = 1; i <= 500; i++) console.log('line ' + i)
    await wait(true)
    for (let i = 501; i <= 900; i++) console.log('line ' + i)
    console.log('ready')
    await wait(false)
    for (let i = 901; i <= 1000; i++) console.log('line ' + i)`
  const { ended, printed } = epochcast(gateway.url, code)
  await until('its task', () => printed.err.includes('epochcast: task'))
  await until('some of it', async () => (await outputOf(url)).length >= 500)
  // What was taken, and its reply lost, comes again.
  gateway.behave((_, response) => response.destroy())
  await until('it to go on alone', () => printed.out.includes('ready'))
  gateway.behave(null)
  expect(await ended, printed.err).toBe(0)
  const texts = textsOf(await outputOf(url)).filter((text) => text !== 'ready')
  expect(texts).toEqual(range(1, 1000).map((i) => `line ${i}`))
})

it('of a program that began without its server comes from the first line, to the task that is registered later', async () => {
  const { url } = await testServer()
  const gateway = await startGateway(url)
  gateway.behave((_, response) => response.destroy())
  const code = `${WAITS}
    console.log('alone')
    await wait(false)
    console.log('no longer')`
  const { ended, printed } = epochcast(gateway.url, code)
  await until('it to have begun', () => printed.out.includes('alone'))
  gateway.behave(null)
  expect(await ended, printed.err).toBe(0)
  expect(textsOf(await outputOf(url))).toEqual(['alone', 'no longer'])
})

it('is bounded while the server is away: the newest lines are kept, and a note says how many are missing', async () => {
  const { url } = await testServer({
    EPOCHCAST_OUTPUT_LINES_PER_SECOND: '100000',
    EPOCHCAST_OUTPUT_LINES: '100000',
  })
  const gateway = await startGateway(url)
  const told: string[] = []
  const input = { name: 'prints much', idempotencyKey: 'prints-much-1' }
  const output = new RunOutput({
    ...{ url: gateway.url, token: undefined, run: null, input },
    tell: (text) => told.push(text),
  })
  gateway.behave((_, response) => response.destroy())
  for (let from = 1; from <= 100_000; from += 1000)
    output.take(
      'stdout',
      Buffer.from(
        range(from, from + 999)
          .join('\n')
          .concat('\n'),
      ),
    )
  const { count } = gateway
  await until('a try in vain', () => gateway.count > count)
  gateway.behave(null)
  await output.close()
  const lines = await outputOf(url)
  const printed = textsOf(lines, 'STDOUT').map(Number)
  const skipped = lines.reduce((sum, { skip }) => sum + (skip?.lines ?? 0), 0)
  expect(printed.length + skipped).toBe(100_000)
  expect(printed.length).toBeLessThanOrEqual(11_000)
  expect(printed.length).toBeGreaterThan(5000)
  expect(printed.at(-1)).toBe(100_000)
  expect([...printed].sort((a, b) => a - b)).toEqual(printed)
  expect(told).toEqual([])
})

it('that is still on its way is left out when somebody does not wait for it, and the run ends as it ended', async () => {
  const { url } = await testServer()
  const gateway = await startGateway(url)
  // Of what is sent, only output has no reply.
  gateway.behave(async (incoming, response) => {
    const body = await buffer(incoming)
    if (body.includes('reportOutput(')) return
    const { 'content-type': type, 'content-encoding': encoding } = incoming.headers
    const headers = {
      ...(type && { 'content-type': type }),
      ...(encoding && { 'content-encoding': encoding }),
    }
    const reply = await fetch(url, { method: 'POST', headers, body })
    response.writeHead(reply.status, { 'content-type': 'application/json' }).end(await reply.text())
  })
  const code = `for (let i = 0; i < 5000; i++) console.log(i); console.error('all')`
  const { child, ended, printed } = epochcast(gateway.url, code)
  await until('a word that it takes long', () => printed.err.includes('Ctrl-C leaves that out'))
  expect(printed.err).toContain('all\n')
  child.kill('SIGINT')
  expect(await ended).toBe(0)
  expect(printed.err).toMatch(/\nepochcast: \d+ lines of output could not be sent\n$/)
  expect(printed.err).not.toContain('no longer sent')
  const { tasks } = await run(url, '{ tasks { edges { node { status } } } }')
  expect(tasks.edges).toEqual([{ node: { status: 'SUCCESS' } }])
})

it('that nobody takes any more is told once, and how much of it was not sent', async () => {
  const { url } = await testServer()
  const gateway = await startGateway(url)
  const told: string[] = []
  const open = (run: { id: string; channelPrefix: string; reportToken: null }) =>
    new RunOutput({ url: gateway.url, token: undefined, run, input: {}, tell: (text) => told.push(text) })
  const unknown = open({ id: 'nobody', channelPrefix: 'gan:training', reportToken: null })
  unknown.take('stdout', Buffer.from('a\n'))
  await until('a word', () => told.length > 0)
  unknown.take('stderr', Buffer.from('b\n'))
  await unknown.close()
  expect(told).toEqual([expect.stringMatching(/^epochcast: the output is no longer sent \(.*nobody/)])

  told.length = 0
  gateway.behave((_, response) => response.destroy())
  const away = open({ id: 'nobody', channelPrefix: 'gan:training', reportToken: null })
  away.take('stdout', Buffer.from('a\nb\nc'))
  await away.close()
  expect(told).toEqual(['epochcast: 3 lines of output could not be sent'])
})
