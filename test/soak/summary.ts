import type { Run } from './run.ts'

/** What a run did, in numbers. */
export function summaryOf(run: Run) {
  const { options, servers, subscribers, trainers, faults, durationMs } = run
  const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0)
  const seconds = durationMs / 1000
  const rss = servers.flatMap(({ maxRssBytes }) => maxRssBytes ?? [])
  return {
    seed: options.seed,
    held: run.problems.length === 0,
    eventsInLogs: run.logged,
    deliveries: run.delivered,
    durationSeconds: Math.round(seconds * 10) / 10,
    eventsPerSecond: seconds > 0 ? Math.round(run.logged / seconds) : 0,
    deliveriesPerSecond: seconds > 0 ? Math.round(run.delivered / seconds) : 0,
    faults: faults.counts,
    reconnects: run.reconnects,
    interruptionsTold: sum(subscribers.map(({ interruptions }) => interruptions)),
    callsRetried: sum(trainers.map(({ retries }) => retries)),
    callsRepeated: sum(trainers.map(({ repeats }) => repeats)),
    longestWaitMs: Math.max(0, ...subscribers.map(({ longestWaitMs }) => longestWaitMs)),
    maxServerRssMiB: rss.length > 0 ? Math.round(Math.max(...rss) / 2 ** 20) : null,
    channelsLeftOpen: run.channelsLeft,
  }
}

export function table(summary: ReturnType<typeof summaryOf>) {
  const { faults, held, ...numbers } = summary
  const rows = [
    ...Object.entries(numbers).map(([name, value]) => [
      spoken(name),
      value === null ? 'unknown' : `${value}`,
    ]),
    ...Object.entries(faults).map(([kind, count]) => [`fault: ${kind}`, `${count}`]),
  ]
  const width = Math.max(...rows.map(([name = '']) => name.length))
  const verdict = held ? 'held: everybody saw all of it, once, in order' : 'FAILED'
  return `${rows.map(([name = '', value]) => `  ${name.padEnd(width)}  ${value}`).join('\n')}\n${verdict}\n`
}

export function progressLine(run: Run) {
  const { reported, delivered, reconnects, phase, options, faults, elapsedMs } = run
  const fired = Object.values(faults.counts).reduce((a, b) => a + b, 0)
  return `${phase} ${Math.round(elapsedMs / 1000)} s: ${reported}/${options.events} reported, ${delivered} delivered, ${fired} faults, ${reconnects} reconnects`
}

/** All that helps to understand a failure. */
export function evidence(run: Run) {
  return [
    `seed ${run.options.seed}`,
    ...run.problems.map((problem) => `problem: ${problem}`),
    ...run.faults.latest.map((fault) => `fault at ${fault}`),
    ...run.servers.flatMap(({ name, lastErrors }) => lastErrors.slice(-5).map((line) => `${name}: ${line}`)),
    '',
  ].join('\n')
}

const spoken = (name: string) => name.replaceAll(/[A-Z][a-z]/g, (part) => ` ${part.toLowerCase()}`)
