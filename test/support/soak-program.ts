import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { onTestFinished } from 'vitest'
import { endWithUs } from '../processes/lifetime.ts'

const PROGRAM = join(import.meta.dirname, '../../dist/test/soak/main.js')

/** The program as a user runs it, only shorter; what it holds and how is told in test/soak. */
export async function soak(...args: string[]) {
  const child = endWithUs(
    spawn(process.execPath, [PROGRAM, '--json', ...args], { stdio: ['ignore', 'pipe', 'pipe'] }),
  )
  // It ends all that it has started, which SIGKILL would not let it.
  onTestFinished(async () => {
    if (child.exitCode !== null || !child.kill('SIGTERM')) return
    await once(child, 'exit')
  })
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)])
  return { summary: stdout === '' ? null : JSON.parse(stdout), stderr }
}
