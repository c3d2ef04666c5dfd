import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, symlink } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { type Program, runProgram } from '../support/program.ts'
import { testServer } from '../support/server.ts'
import { until } from '../support/until.ts'
import { progressReports, report, startExternal, testClient } from './support/server.ts'

const root = join(import.meta.dirname, '../..')
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'epochcast-cli-'))
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'))
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  // Types are checked elsewhere.
  const output = ['--noCheck', '--incremental', 'false', '--tsBuildInfoFile', 'null', '--outDir', folder]
  await promisify(execFile)(process.execPath, [tsc, '-p', 'tsconfig.build.json', ...output], { cwd: root })
})
afterAll(() => rm(folder, { recursive: true }))

/** The program as it is installed. */
function epochcast(args: readonly string[], env: Record<string, string> = {}): Program {
  return runProgram(process.execPath, [join(folder, 'src/main.js'), ...args], {
    env: { PATH: process.env.PATH, EPOCHCAST_LOG_LEVEL: 'info', EPOCHCAST_DATA: 'none', ...env },
  })
}

describe('the epochcast process', () => {
  it('serves until it is told to stop, and its commands find it by EPOCHCAST_URL', async () => {
    const server = epochcast(['serve', '--port', '0'])
    const url = () => /http:\/\/127\.0\.0\.1:\d+\/graphql/.exec(server.printed.out)?.[0]
    const env = { EPOCHCAST_URL: await until('the server to listen', url) }

    const started = epochcast(['train', 'external', '--json'], env)
    expect(await started.ended).toBe(0)
    const { id } = JSON.parse(started.printed.out)
    const watching = epochcast(['watch', id], env)
    await until('the stream to open', () => watching.printed.out.includes(' opened '))
    const reporting = epochcast(['report', id, 'failure', '--error', 'Boom'], env)
    expect(await reporting.ended).toBe(0)
    expect(await watching.ended).toBe(1)
    expect(watching.printed.out).toMatch(/^FAILURE .*\nerror Boom$/m)

    server.child.kill('SIGTERM')
    expect(await server.ended).toBe(0)
  })

  it('says why it cannot serve, in a line for each problem', async () => {
    const misconfigured = epochcast(['serve', '--port', 'many'])
    expect(await misconfigured.ended).toBe(1)
    expect(misconfigured.printed.err).toMatch(/^error CONFIG: PORT is "many"; expected [^\n]*\n$/)

    const twice = epochcast(['serve', '--port', 'many', '--workers', 'few'])
    expect(await twice.ended).toBe(1)
    expect(twice.printed.err).toMatch(
      /^error CONFIG: PORT is "many"; [^\n]*\nerror CONFIG: EPOCHCAST_WORKERS is "few"; [^\n]*\n$/,
    )

    const other = createServer().listen(0, '127.0.0.1')
    onTestFinished(() => void other.close())
    await once(other, 'listening')
    const { port } = other.address() as { port: number }
    const inUse = epochcast(['serve', '--port', String(port)])
    expect(await inUse.ended).toBe(1)
    expect(inUse.printed.err).toBe(
      `error EADDRINUSE: 127.0.0.1:${port} is in use by another process; choose another with --port\n`,
    )
  })

  it('detaches on Ctrl-C', async () => {
    const { url } = await testServer()
    const taskId = await startExternal(testClient(url))
    const watching = epochcast(['watch', taskId, '--url', url])
    await until('the stream to open', () => watching.printed.out.includes(' opened '))
    watching.child.kill('SIGINT')
    expect(await watching.ended).toBe(130)
    expect(watching.printed.err).toContain(`watch again: epochcast watch ${taskId} `)
  })

  it('ends quietly when nobody reads on', async () => {
    const { url } = await testServer()
    const client = testClient(url)
    const taskId = await startExternal(client)
    const watching = epochcast(['watch', taskId, '--url', url])
    await until('the stream to open', () => watching.printed.out.includes(' opened '))
    watching.child.stdout?.destroy()
    await report(client, taskId, ...progressReports(1, 10))
    expect(await watching.ended).toBe(0)
    expect(watching.printed.err).toBe('')
  })
})
