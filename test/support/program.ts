import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { onTestFinished } from 'vitest'
import { end, endWithUs } from '../processes/lifetime.ts'

export interface Program {
  readonly child: ChildProcess
  readonly printed: { out: string; err: string }
  /** Its exit code, null where a signal ended it; by then all that it printed has come. */
  readonly ended: Promise<number | null>
}

/** Runs a program and keeps what it prints; it is killed when the test is over. */
export function runProgram(
  command: string,
  args: readonly string[],
  options: Pick<SpawnOptions, 'cwd' | 'env'>,
): Program {
  const child = endWithUs(spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] }))
  onTestFinished(() => end(child))
  const printed = { out: '', err: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed.out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    printed.err += text
  })
  return { child, printed, ended: once(child, 'close').then(([code]) => code as number | null) }
}
