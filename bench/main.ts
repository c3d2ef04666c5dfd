// The benchmarks; `--help` says how.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { RedisProcess } from '../test/processes/redis-process.ts'
import { findRedisServer } from '../test/provide.js'
import { chooseCores, moveTo } from './cores.ts'
import { describeMachine, maxOpenFiles } from './machine.ts'
import { HELP, type Options, readOptions, UsageError } from './options.ts'
import { report } from './report.ts'
import { linesOf } from './results.ts'
import { runScenario } from './runner.ts'
import { everyFaultIsNoticed } from './self-test.ts'
import { textTable } from './table.ts'

const FAILED = 1
const USAGE = 2
const INTERRUPTED = 130
/** Beside its sockets, a process has a few files open. */
const OTHER_FILES = 200

for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(INTERRUPTED))
process.exitCode = await main()

/** @returns the exit code */
async function main(): Promise<number> {
  try {
    const options = readOptions(process.argv.slice(2), join(import.meta.dirname, '../src/main.js'))
    if (options !== 'help') return options.selfTest ? await selfTest(options) : await bench(options)
    process.stdout.write(HELP)
    return 0
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    process.stderr.write(`bench: ${error.message}\n`)
    return USAGE
  }
}

async function bench(options: Options) {
  if (!existsSync(options.server)) {
    throw new UsageError(`there is no ${options.server}; expected a built server (npm run build)`)
  }
  const plan = options.scenarios.flatMap((scenario) =>
    scenario.engines
      .filter((engine) => options.engine === null || engine === options.engine)
      .map((engine) => ({ scenario, engine })),
  )
  if (plan.length === 0) {
    throw new UsageError(
      `nothing to measure: ${options.scenarios.map(({ name }) => name)} is not for --engine ${options.engine}`,
    )
  }
  const cores = prepare(options)
  const redis = plan.some(({ engine }) => engine === 'redis') ? await startRedis() : null
  const machine = describeMachine(redis ? await versionOf(redis) : null, cores)
  const results = []
  for (const { scenario, engine } of plan) {
    const one = await runScenario(scenario, engine, options, { redis, cores, say })
    if (plan.length > 1) say(`\n${textTable(linesOf(one, options.sizes))}`)
    results.push(one)
  }
  await redis?.close()

  const lines = results.flatMap((one) => linesOf(one, options.sizes))
  process.stdout.write(textTable(lines))
  if (options.json) {
    const scenarios = results.map(({ scenario, engine, rounds, errors }) => ({
      scenario: scenario.name,
      engine,
      rounds: Object.fromEntries(rounds),
      errors: Object.fromEntries(errors),
    }))
    writeFileSync(
      options.json,
      `${JSON.stringify({ machine, options: withoutScenarios(options), scenarios, lines }, null, 2)}\n`,
    )
  }
  if (options.write) {
    const file = join(import.meta.dirname, '../../bench/RESULTS.md')
    const before = existsSync(file) ? readFileSync(file, 'utf8') : ''
    writeFileSync(file, report(before, { machine, options, results, lines }))
  }
  const invalid = results.flatMap(({ errors }) => [...errors.values()])
  if (invalid.length === 0) return 0
  process.stderr.write(`bench: FAILED: ${invalid.length} invalid runs\n${invalid.join('\n')}\n`)
  return FAILED
}

async function selfTest({ server, ...options }: Options) {
  const unnoticed = await everyFaultIsNoticed({ cores: prepare({ server, ...options }), server, say })
  if (unnoticed.length === 0) return 0
  process.stderr.write(`bench: FAILED: wrong about ${unnoticed.join(', ')}\n`)
  return FAILED
}

function prepare({ sizes }: Options) {
  const cores = chooseCores()
  if (cores.why) say(`bench: nothing is pinned to a core: ${cores.why}; expect noise`)
  moveTo(cores.rest)
  const sockets = sizes.quick ? 500 : Math.max(5000, ...(sizes.subscribers ?? []))
  const files = maxOpenFiles()
  if (files < sockets + OTHER_FILES) {
    throw new UsageError(
      `a process may open ${files} files here; expected ${sockets + OTHER_FILES} (ulimit -n), or less with --subscribers`,
    )
  }
  return cores
}

async function versionOf(redis: RedisProcess): Promise<string> {
  const info = await redis.run((client) => client.info('server'))
  return /redis_version:(\S+)/.exec(info)?.[1] ?? 'unknown'
}

async function startRedis() {
  if (findRedisServer()) return RedisProcess.start()
  throw new UsageError(
    'there is no redis-server; install it, set REDIS_SERVER_PATH, or run with --engine memory',
  )
}

function withoutScenarios({ scenarios, ...rest }: Options) {
  return { ...rest, scenarios: scenarios.map(({ name }) => name) }
}

function say(line: string) {
  process.stderr.write(`${line}\n`)
}
