import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { onTestFinished } from 'vitest'
import { readConfig } from '../../src/config.ts'
import { type EpochcastServer, startServer } from '../../src/server.ts'
import { freePort } from '../processes/free-port.ts'
import { ServerProcess } from '../processes/server-process.ts'

export interface TestServer extends EpochcastServer {
  readonly webSocketUrl: string
}

/** A real server on a free port; closed when the test is over. */
export async function testServer(env: Record<string, string> = {}): Promise<TestServer> {
  const config = readConfig({ PORT: '0', EPOCHCAST_DATA: 'none', ...env }, { PATH: process.env.PATH })
  const server = await startServer(config, pino({ level: 'error' }))
  let closing: Promise<void> | undefined
  const close = () => {
    closing ??= server.close()
    return closing
  }
  onTestFinished(close)
  return { ...server, close, webSocketUrl: server.url.replace('http', 'ws') }
}

interface ProcessOfServer {
  readonly url: string
  /** By SIGKILL. */
  kill(): Promise<void>
  /** By SIGTERM. */
  end(): Promise<void>
  /** Once more, at the same address. */
  start(): Promise<void>
}

/** A server as a process of its own, as built; killed when the test is over. */
export async function serverProcess(env: Record<string, string>): Promise<ProcessOfServer> {
  const main = join(import.meta.dirname, '../../bin/epochcast.js')
  const command = [process.execPath, main, 'serve'] as const
  const server = new ServerProcess({ name: 'the server', command, env }, await freePort())
  const kill = () => server.kill()
  onTestFinished(kill)
  await server.start()
  return { url: server.url, kill, end: () => server.end(), start: () => server.start() }
}

/** A trainers' configuration of local trainers, each a piece of JavaScript that Node runs. */
export function trainersFile(
  scripts: Record<string, string>,
  more: Record<string, Record<string, unknown>> = {},
): string {
  const folder = mkdtempSync(join(tmpdir(), 'epochcast-trainers-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const trainers: Record<string, unknown> = { ...more }
  for (const [name, script] of Object.entries(scripts)) {
    writeFileSync(join(folder, `${name}.mjs`), REPORT + script)
    trainers[name] = { command: [process.execPath, `${name}.mjs`], ...more[name] }
  }
  const file = join(folder, 'trainers.json')
  writeFileSync(file, JSON.stringify({ trainers }))
  return file
}

/** What the scripts have at hand: `report(...reports)` and `params`. */
const REPORT = `
const { EPOCHCAST_URL, EPOCHCAST_TOKEN, EPOCHCAST_TASK_ID: taskId, EPOCHCAST_CHANNEL_PREFIX: channelPrefix } = process.env
const params = JSON.parse(process.env.EPOCHCAST_PARAMS)
const attempt = Number(process.env.EPOCHCAST_ATTEMPT)
async function report(...reports) {
  const query = 'mutation ($input: ReportMetricsInput!) { reportMetrics(input: $input) { accepted stopRequested } }'
  const variables = { input: { taskId, channelPrefix, attempt, reports } }
  const response = await fetch(EPOCHCAST_URL, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(EPOCHCAST_TOKEN && { authorization: 'Bearer ' + EPOCHCAST_TOKEN }),
    },
    body: JSON.stringify({ query, variables }),
  })
  const { data, errors } = await response.json()
  if (errors) throw new Error(JSON.stringify(errors))
  return data.reportMetrics
}
`
