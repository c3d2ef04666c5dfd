import { existsSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { dataDirectory } from '../../support/data-directory.ts'
import { progressReports, report, startExternal } from '../../support/graphql.ts'
import type { Program } from '../../support/program.ts'
import { serverProcess, testServer } from '../../support/server.ts'
import { range } from '../../support/tasks.ts'
import { until } from '../../support/until.ts'
import { startProgram } from '../support/python.ts'
import { viewersPython } from './provide.js'

function start(...args: string[]): Program {
  const python = viewersPython()
  if (!existsSync(python))
    throw new Error(`there is no ${python} yet; run node test/python/viewers/provide.js`)
  return startProgram(python, args)
}

const linesOf = ({ printed }: Program): string[] => printed.out.trim().split('\n')

type Signal = 'SIGKILL' | 'SIGTERM'

/** A run that its viewer follows to the end while the server is ended and started again. */
async function followOverRestart(
  signal: Signal,
  open: (url: string, id: string) => Program,
): Promise<Program> {
  const server = await serverProcess({ EPOCHCAST_DATA: dataDirectory() })
  const { url } = server
  const id = await startExternal(url)
  await report(url, id, ...progressReports(1, 10))
  const viewer = open(url, id)
  const hasSeen = (step: number) =>
    until(`step ${step}: ${viewer.printed.err}`, () =>
      new RegExp(`^\\S+\\s${step}\\s`, 'm').test(viewer.printed.out),
    )
  await hasSeen(10)
  await report(url, id, ...progressReports(11, 20))
  await hasSeen(20)
  await (signal === 'SIGKILL' ? server.kill() : server.end())
  await server.start()
  await report(url, id, ...progressReports(21, 30), { success: { result: { rows: 3 } } })
  expect(await viewer.ended, viewer.printed.err).toBe(0)
  return viewer
}

const EVERY_EVENT = [
  ...['StreamOpened', 'StatusChanged', 'StatusChanged'],
  ...range(1, 20).map((step) => `ProgressUpdate ${step} ${1 / step}`),
]
const THE_REST = [
  ...range(21, 30).map((step) => `ProgressUpdate ${step} ${1 / step}`),
  ...['TrainingSucceeded', 'StreamClosing'],
]
const eventsOf = (viewer: Program) => linesOf(viewer).map((line) => line.split('\t').join(' ').trim())

describe.each<Signal>(['SIGKILL', 'SIGTERM'])('over a restart of a server that %s ends', (signal) => {
  it('follow_gql.py gives every event once', async () => {
    const viewer = await followOverRestart(signal, (url, id) =>
      start('examples/follow_gql.py', url.replace('http', 'ws'), id),
    )
    const events = eventsOf(viewer)
    // Each connection has an opening.
    expect(events.filter((line, i) => i === 0 || line !== 'StreamOpened')).toEqual([
      ...EVERY_EVENT,
      ...THE_REST,
    ])
    expect(viewer.printed.err).toMatch(/^reconnecting: /m)
  })

  it('follow_events.py gives every event once', async () => {
    const viewer = await followOverRestart(signal, (url, id) =>
      start('examples/follow_events.py', new URL(url).origin, id),
    )
    const events = eventsOf(viewer)
    expect(events.filter((line, i) => i === 0 || line !== 'StreamOpened')).toEqual([
      ...EVERY_EVENT,
      ...THE_REST,
    ])
    expect(viewer.printed.err).toMatch(/^reconnecting: /m)
  })

  it('a script for the WebSocket of a hand-made relay follows a run to its end, unchanged', async () => {
    const viewer = await followOverRestart(signal, (url, id) =>
      start(
        'test/python/viewers/relay_page.py',
        new URL(`/ws/gan/training/${id}`, url.replace('http', 'ws')).href,
      ),
    )
    const lines = linesOf(viewer)
    expect(lines.filter((line) => line.startsWith('connected gan:training:'))).toHaveLength(2)
    const steps = lines.flatMap((line) => (line.startsWith('progress ') ? [Number(line.split(' ')[1])] : []))
    // It cannot say where it was; it is told the newest event again whenever it comes.
    expect(steps.slice(0, 11)).toEqual(range(10, 20))
    expect(steps).toEqual([...steps].sort((a, b) => a - b))
    expect(lines.slice(-2)).toEqual(['end SUCCESS 100 {"rows": 3}', 'closing the task ended with SUCCESS'])
  })
})

it('gql as it is chooses graphql-transport-ws of what it offers', async () => {
  const { webSocketUrl } = await testServer()
  const program = start('test/python/viewers/subprotocol.py', webSocketUrl)
  expect(await program.ended, program.printed.err).toBe(0)
  expect(linesOf(program)).toEqual(['graphql-transport-ws', '1'])
})

describe('a task that there is not', () => {
  it.each([
    ['follow_gql.py', (url: string) => url.replace('http', 'ws')],
    ['follow_events.py', (url: string) => new URL(url).origin],
  ])('ends %s with the words of the server', async (example, address) => {
    const { url } = await testServer()
    const program = start(`examples/${example}`, address(url), 'nowhere')
    expect(await program.ended).toBe(1)
    expect(program.printed.err).toMatch(/no task \\?"nowhere/)
  })
})
