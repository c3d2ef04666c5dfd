import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { CANCEL, type Data, run } from '../support/graphql.ts'
import { type Program, runProgram } from '../support/program.ts'
import { testServer } from '../support/server.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { SECRET_ENV, token } from '../support/tokens.ts'
import { until } from '../support/until.ts'
import { startGateway } from './support/gateway.ts'

const root = join(import.meta.dirname, '../..')
const BIN = join(root, 'bin/epochcast.js')
const CLIENT = JSON.stringify(join(root, 'dist/clients/typescript/index.js'))
const NO_SERVER = 'http://127.0.0.1:9/graphql'

/** The built program, around a piece of JavaScript. */
function epochcast(
  url: string,
  code: string,
  { options = [], env = {} }: { options?: readonly string[]; env?: Record<string, string> } = {},
): Program {
  const script = ['--', process.execPath, '--input-type=module', '-e', code, 'an argument', '--epochs', '5']
  return runProgram(process.execPath, [BIN, 'run', ...options, ...script], {
    env: { PATH: process.env.PATH, EPOCHCAST_URL: url, ...env },
  })
}

const TASKS = /* GraphQL */ `{ tasks { edges { node { id name status channelPrefix machineId labels params message result
  stopReason current error { message type } } } } }`

async function onlyTask(url: string, bearer?: string): Promise<Data> {
  const { edges } = (await run(url, TASKS, {}, bearer)).tasks
  expect(edges).toHaveLength(1)
  return edges[0].node
}

describe('epochcast run', () => {
  it('registers a program, passes its output and arguments on, and ends it by its exit code', async () => {
    const { url } = await testServer()
    const options = [
      '--name',
      'resnet',
      '--label',
      'team=vision',
      '--prefix',
      'ml:training',
      '--machine',
      'm1',
      '--param',
      'lr=0.1',
    ]
    const code = `console.log(JSON.stringify(process.argv.slice(1))); process.stdout.write('no line'); console.error('words')`
    const { ended, printed } = epochcast(url, code, { options })
    expect(await ended, printed.err).toBe(0)
    expect(printed.out).toBe('["an argument","--epochs","5"]\nno line')
    const task = await onlyTask(url)
    expect(printed.err).toBe(`epochcast: task ${task.id}\nwords\n`)
    expect(task).toMatchObject({
      ...{ name: 'resnet', status: 'SUCCESS', channelPrefix: 'ml:training', machineId: 'm1' },
      ...{ labels: { team: 'vision' }, params: { lr: 0.1 } },
    })
  })

  it.each([
    [
      'process.exit(7)',
      7,
      { message: expect.stringMatching(/code 7; its last output:\nboom$/), type: 'ExitCode' },
    ],
    [
      "process.kill(process.pid, 'SIGKILL')",
      137,
      { message: expect.stringContaining('SIGKILL'), type: 'Signal' },
    ],
  ])('%s is a failure, and its own code', async (end, exit, error) => {
    const { url } = await testServer()
    const { ended } = epochcast(url, `import { writeSync } from 'node:fs'; writeSync(2, 'boom\\n'); ${end}`)
    expect(await ended).toBe(exit)
    expect(await onlyTask(url)).toMatchObject({ status: 'FAILURE', error })
  })

  it.each([
    ['/nowhere/at/all', 127],
    [root, 126],
    [join(BIN, 'within a file'), 3],
  ])('%s cannot be run, which is a failure, too', async (program, exit) => {
    const { url } = await testServer()
    const temporary = temporaryFolder()
    const env = { PATH: process.env.PATH, EPOCHCAST_URL: url, TMPDIR: temporary }
    const { ended, printed } = runProgram(process.execPath, [BIN, 'run', '--', program], { env })
    expect(await ended).toBe(exit)
    expect(printed.err).toContain('cannot be run')
    // The file with its token is gone, too.
    expect(readdirSync(temporary)).toEqual([])
    expect(await onlyTask(url)).toMatchObject({ status: 'FAILURE', error: { type: 'SpawnFailed' } })
  })

  it.each([[[]], [['--no-output']]])('has no token in the last output of a failure (%s)', async (options) => {
    const { url } = await testServer(SECRET_ENV)
    const env = { EPOCHCAST_TOKEN: await token({ scope: 'trainer' }) }
    const { ended, printed } = epochcast(url, 'console.log(process.env.EPOCHCAST_TOKEN); process.exit(1)', {
      ...{ env, options },
    })
    expect(await ended, printed.err).toBe(1)
    expect(printed.out).toMatch(/^ey/)
    const { error } = await onlyTask(url, await token({ scope: 'viewer' }))
    expect(error.message).toMatch(/its last output:\n\[redacted\]$/)
  })

  it('gives the program what a launched one gets, and its own end stands', async () => {
    const { url } = await testServer(SECRET_ENV)
    const env = { EPOCHCAST_TOKEN: await token({ scope: 'trainer' }) }
    const names = [
      'EPOCHCAST_URL',
      'EPOCHCAST_TASK_ID',
      'EPOCHCAST_CHANNEL_PREFIX',
      'EPOCHCAST_ATTEMPT',
      'EPOCHCAST_PARAMS',
    ]
    const code = `import { createReporter } from ${CLIENT}
      import { readFileSync } from 'node:fs'
      const { env } = process
      const file = readFileSync(env.KUBEFLOW_TRAINER_SERVER_TOKEN, 'utf8')
      console.log(JSON.stringify([${JSON.stringify(names)}.map((name) => env[name]), env.KUBEFLOW_TRAINER_SERVER_URL, file === env.EPOCHCAST_TOKEN,
        env.KUBEFLOW_TRAINER_SERVER_TOKEN, env.EPOCHCAST_TOKEN]))
      const reporter = createReporter()
      reporter.progress({ current: 3, total: 3 })
      await reporter.failure('diverged', 'Diverged')
      // What it still has to do is not ended by anybody.
      setTimeout(() => {}, 3000)`
    const { ended, printed } = epochcast(url, code, {
      env,
      options: ['--param', 'lr=1', '--term-after', '0'],
    })
    expect(await ended, printed.err).toBe(0)
    const task = await onlyTask(url, await token({ scope: 'viewer' }))
    const [values, kubeflow, isSame, file, reportToken] = JSON.parse(printed.out)
    expect(values).toEqual([url, task.id, 'gan:training', '1', '{"lr":1}'])
    expect(kubeflow).toBe(new URL(`/kubeflow/gan:training/${task.id}`, url).href)
    expect(isSame).toBe(true)
    expect(reportToken).not.toBe(env.EPOCHCAST_TOKEN)
    expect(() => readFileSync(file)).toThrow('ENOENT')
    expect(task).toMatchObject({
      status: 'FAILURE',
      current: 3,
      error: { message: 'diverged', type: 'Diverged' },
    })
    expect(printed.err).toBe(`epochcast: task ${task.id}\n`)
  })

  it('stops a program whose task is cancelled, by SIGTERM, and by SIGKILL where that is not enough', async () => {
    const { url } = await testServer()
    const code = `process.on('SIGTERM', () => console.log('asked')); console.log('ready'); setInterval(() => {}, 1000)`
    const { ended, printed } = epochcast(url, code, { options: ['--term-after', '0', '--kill-after', '0.2'] })
    await until('it to be ready', () => printed.out.includes('ready'))
    const { id } = await until('its task to run', async () => {
      const task = await onlyTask(url)
      return task.status === 'RUNNING' && task
    })
    await run(url, CANCEL, { input: { taskId: id, reason: 'enough' } })
    expect(await ended).toBe(137)
    expect(printed.out).toBe('ready\nasked\n')
    expect(await onlyTask(url)).toMatchObject({
      status: 'CANCELLED',
      stopReason: expect.stringContaining('enough'),
    })
  })

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('passes %s on, and the run is cancelled', async (signal, exit) => {
    const { url } = await testServer()
    const { child, ended, printed } = epochcast(url, `console.log('ready'); setInterval(() => {}, 1000)`)
    await until('it to be ready', () => printed.out.includes('ready'))
    child.kill(signal)
    expect(await ended).toBe(exit)
    expect(await onlyTask(url)).toMatchObject({ status: 'CANCELLED', stopReason: `interrupted by ${signal}` })
  })

  it('goes on where nobody reads its output any more', async () => {
    const { url } = await testServer()
    const code = `import { setTimeout } from 'node:timers/promises'
      for (let i = 0; i < 20; i++) { console.log('x'.repeat(10_000)); await setTimeout(10) }`
    const { child, ended, printed } = epochcast(url, code)
    await until('its first line', () => printed.out !== '')
    child.stdout?.destroy()
    expect(await ended, printed.err).toBe(0)
    expect(await onlyTask(url)).toMatchObject({ status: 'SUCCESS' })
  })

  it('runs a program though the server is away, and says so', async () => {
    const code = `console.log('trained', process.env.EPOCHCAST_TASK_ID); process.exit(3)`
    const directory = temporaryFolder()
    const away = epochcast(NO_SERVER, code, { env: { EPOCHCAST_SPOOL_DIR: directory } })
    expect(await away.ended).toBe(3)
    expect(away.printed.out).toBe('trained undefined\n')
    expect(away.printed.err).toMatch(/not registered yet .*; it begins all the same\n/)
    // Its end is sent later.
    const { url } = await testServer()
    const env = { PATH: process.env.PATH }
    const sync = runProgram(process.execPath, [BIN, '--url', url, 'sync', directory], { env })
    expect(await sync.ended, sync.printed.err).toBe(0)
    expect(await onlyTask(url)).toMatchObject({ status: 'FAILURE', error: { type: 'ExitCode' } })
  }, 30_000)

  it('sends what the program could not, before its end', async () => {
    const { url } = await testServer()
    const gateway = await startGateway(url)
    const directory = temporaryFolder()
    const code = `import { createReporter } from ${CLIENT}
      const reporter = createReporter({ flushMs: 100 })
      console.log('ready')
      // The server goes away meanwhile, which this test sees to.
      const isAway = () => fetch(process.env.EPOCHCAST_URL).then(() => false, () => true)
      while (!(await isAway())) await new Promise((resolve) => setTimeout(resolve, 20))
      for (let step = 1; step <= 5; step++) reporter.log({ loss: 1 }, { step })
      console.log('delivered:', await reporter.close())
      while (await isAway()) await new Promise((resolve) => setTimeout(resolve, 20))`
    const { ended, printed } = epochcast(gateway.url, code, { env: { EPOCHCAST_SPOOL_DIR: directory } })
    await until('it to be ready', () => printed.out.includes('ready'))
    gateway.behave((_, response) => response.destroy())
    await until('it to have given up', () => printed.out.includes('delivered: false'))
    gateway.behave(null)
    expect(await ended, printed.err).toBe(0)
    expect(await onlyTask(url)).toMatchObject({ status: 'SUCCESS', current: 5 })
    expect(readdirSync(directory)).toEqual([])
  })

  it('needs a command', async () => {
    const env = { PATH: process.env.PATH }
    const none = runProgram(process.execPath, [BIN, 'run'], { env })
    expect(await none.ended).toBe(3)
    expect(none.printed.err).toContain("missing required argument 'command'")
    const help = runProgram(process.execPath, [BIN, 'run', '--help'], { env })
    expect(await help.ended).toBe(0)
    expect(help.printed.out).toContain('epochcast run -- python train.py --epochs 50')
  })
})
