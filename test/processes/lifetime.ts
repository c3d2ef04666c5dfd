// What tests, soak and benchmarks start ends with the process that started it, on every way out that Node notices.
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const MAX_END_MS = 120_000

const running = new Set<ChildProcess>()
const folders = new Set<string>()

process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
  for (const folder of folders) removeFolder(folder)
})

export function endWithUs<Child extends ChildProcess>(child: Child): Child {
  running.add(child)
  child.once('exit', () => running.delete(child))
  // A program that cannot be run has no exit.
  child.once('error', () => running.delete(child))
  return child
}

/** Resolves once the process is gone. */
export async function end(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL' = 'SIGKILL'): Promise<void> {
  if (!isRunning(child)) return
  const ended = once(child, 'exit')
  child.kill(signal)
  // A process that is frozen does not hear SIGTERM.
  if (signal === 'SIGTERM') child.kill('SIGCONT')
  const late = setTimeout(() => child.kill('SIGKILL'), MAX_END_MS)
  await ended
  clearTimeout(late)
}

export function isRunning(child: ChildProcess): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null
}

/** Whether a process lives, of whomever; one that ended and was not yet collected by its parent does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return process.platform !== 'linux' || !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    // It may have been collected between the two.
    return false
  }
}

/** A new folder, for as long as this process lives or until `removeFolder`. */
export function createFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'epochcast-'))
  folders.add(folder)
  return folder
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true })
  folders.delete(folder)
}
