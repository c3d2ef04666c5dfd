// Holds the system against its first promise, at length and under faults; `--help` says how.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { HELP, readOptions, UsageError } from './options.ts'
import { Run } from './run.ts'
import { evidence, progressLine, summaryOf, table } from './summary.ts'

const FAILED = 1
const USAGE = 2
const INTERRUPTED = 130

process.exitCode = await main()

/** @returns the exit code */
async function main(): Promise<number> {
  try {
    const options = readOptions(process.argv.slice(2), join(import.meta.dirname, '../../src/main.js'))
    if (options !== 'help') return await soak(new Run(options))
    process.stdout.write(HELP)
    return 0
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    process.stderr.write(`soak: ${error.message}\n\n${HELP}`)
    return USAGE
  }
}

/** @returns the exit code */
async function soak(run: Run): Promise<number> {
  const { seed, server, json } = run.options
  if (!existsSync(server))
    throw new UsageError(`there is no ${server}; expected a built server (npm run build)`)
  process.stderr.write(`soak: seed ${seed}\n`)
  let interrupted = false
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      // A second one means "now".
      if (interrupted) process.exit(INTERRUPTED)
      interrupted = true
      run.fail(`${signal}, while ${run.phase}`)
    })
  }
  const stopShowing = showProgress(run)
  await run.go()
  await run.close()
  stopShowing()

  const summary = summaryOf(run)
  process.stdout.write(json ? `${JSON.stringify(summary)}\n` : table(summary))
  if (summary.held) return 0
  process.stderr.write(evidence(run))
  return interrupted ? INTERRUPTED : FAILED
}

/** One line that changes on a terminal; a line every few seconds elsewhere. */
function showProgress(run: Run) {
  const { isTTY } = process.stderr
  const show = () => process.stderr.write(isTTY ? `\r\x1b[K${progressLine(run)}` : `${progressLine(run)}\n`)
  const timer = setInterval(show, isTTY ? 500 : 5000)
  return () => {
    clearInterval(timer)
    if (isTTY) process.stderr.write('\r\x1b[K')
  }
}
