import { parseArgs } from 'node:util'
import { ENGINES, type Engine } from './candidates/candidate.ts'
import { CANDIDATES } from './candidates/index.ts'
import { SCENARIOS } from './scenarios/index.ts'
import type { Scenario, Sizes } from './scenarios/scenario.ts'

export interface Options {
  readonly scenarios: readonly Scenario[]
  /** Only this one. */
  readonly engine: Engine | null
  /** Only these. */
  readonly candidates: readonly string[] | null
  readonly rounds: number
  readonly sizes: Sizes
  readonly server: string
  readonly json: string | null
  readonly write: boolean
  readonly selfTest: boolean
}

const DEFAULT_ROUNDS = 3

export const HELP = `usage: npm run bench -- [scenario …] [options]

Measures Epochcast beside a bare WebSocket broadcast (\`ws\`) and beside GraphQL Yoga + graphql-ws +
graphql-redis-subscriptions as their documentation puts them together. The candidates take turns, so that each
round sees the same machine; the table has medians of the rounds, their range, and the median of the ratios within
a round. Absolute values drift with the machine: read the ratios.

The measured server runs alone on one core; Redis, the load generator and whatever else is needed are on another.
CPU is the server process's own account (user and system). Every delivery is checked: the first subscriber's event
against what was reported, everybody else's against its bytes, all of them in sequence. Only events of calls under way
at the same time may come in any order, which must be the same for everybody. One error, loss or repetition makes the
run invalid, and the command exit with 1. Everything runs on this machine's loopback, on a Redis of its own, and is
ended with the command.

scenarios (all of them by default):
${SCENARIOS.map(({ name, about, engines }) => `  ${name.padEnd(9)} ${wrapped(`${about} (${engines.join(', ')})`, 12)}`).join('\n')}

options:
  --rounds N              repetitions (${DEFAULT_ROUNDS})
  --engine NAME           only redis, memory, lmdb or 'lmdb without fsync' (each scenario's own by default)
  --candidates A,B        only these: ${Object.keys(CANDIDATES).join(', ')}; a part of the name will do
  --subscribers N,N       other numbers of subscribers
  --reports N,N           other numbers of reports a call
  --quick                 small and short, one round: whether everything works, not how fast
  --server FILE           Epochcast's entry (dist/src/main.js)
  --json FILE             writes all values of all rounds as well
  --write                 writes bench/RESULTS.md; its section "Notes", if there is one, stays
  --self-test             lets the bare reference make mistakes, and sees that each of them is noticed
  --help
`

/** What cannot be understood; the message says what was expected. */
export class UsageError extends Error {}

export function readOptions(args: readonly string[], defaultServer: string): Options | 'help' {
  const { values, positionals } = parse(args)
  if (values.help) return 'help'
  const quick = values.quick ?? false
  return {
    scenarios: positionals.length === 0 ? SCENARIOS : positionals.map(scenarioNamed),
    engine: engineNamed(values.engine),
    candidates: values.candidates === undefined ? null : values.candidates.split(',').map(candidateNamed),
    rounds: wholes('rounds', values.rounds ?? `${quick ? 1 : DEFAULT_ROUNDS}`, 1, 100)[0] ?? 1,
    sizes: {
      quick,
      subscribers:
        values.subscribers === undefined ? null : wholes('subscribers', values.subscribers, 1, 10_000),
      reports: values.reports === undefined ? null : wholes('reports', values.reports, 1, 1000),
    },
    server: values.server ?? defaultServer,
    json: values.json ?? null,
    write: values.write ?? false,
    selfTest: values['self-test'] ?? false,
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        rounds: { type: 'string' },
        engine: { type: 'string' },
        candidates: { type: 'string' },
        subscribers: { type: 'string' },
        reports: { type: 'string' },
        quick: { type: 'boolean' },
        server: { type: 'string' },
        json: { type: 'string' },
        write: { type: 'boolean' },
        'self-test': { type: 'boolean' },
        help: { type: 'boolean' },
      },
    })
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

function scenarioNamed(name: string) {
  const found = SCENARIOS.find((scenario) => scenario.name === name)
  if (found) return found
  throw new UsageError(
    `the scenario is ${name}; expected one of ${SCENARIOS.map((scenario) => scenario.name).join(', ')}`,
  )
}

function candidateNamed(part: string) {
  const names = Object.keys(CANDIDATES)
  const found = names.find((name) => name.toLowerCase().includes(part.trim().toLowerCase()))
  if (found) return found
  throw new UsageError(`the candidate is ${part}; expected one of ${names.join(', ')}`)
}

function engineNamed(name: string | undefined): Engine | null {
  if (name === undefined) return null
  const found = ENGINES.find((engine) => engine === name)
  if (found) return found
  throw new UsageError(`--engine is ${name}; expected one of ${ENGINES.join(', ')}`)
}

/** Numbers, in ascending order. */
function wholes(name: string, text: string, min: number, max: number) {
  return text
    .split(',')
    .map((part) => {
      const value = /^\d+$/.test(part.trim()) ? Number(part) : Number.NaN
      if (value >= min && value <= max) return value
      throw new UsageError(`--${name} is ${text}; expected whole numbers from ${min} to ${max}`)
    })
    .sort((a, b) => a - b)
}

/** @param indent of the lines after the first */
function wrapped(text: string, indent: number) {
  const lines = ['']
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? ''
    if (line.length + word.length > 100) lines.push(word)
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`
  }
  return lines.join(`\n${' '.repeat(indent)}`)
}
