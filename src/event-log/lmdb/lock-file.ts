import { spawnSync } from 'node:child_process'
import { ftruncateSync, readFileSync, writeSync } from 'node:fs'

/**
 * Takes the lock of an open file, for as long as this process has it open: the system gives it back whatever becomes
 * of the process. Node has no call for that, but `flock`, part of every Linux, takes the lock for the file that it
 * inherits from us. Where there is none, the process number in the file has to do.
 *
 * @returns the number of the process that has the lock; null where it is ours now
 */
export function lockFile(file: number, path: string): string | null {
  const holder = readFileSync(path, 'utf8').trim()
  const { status, error } = spawnSync('flock', ['-x', '-n', '3'], {
    stdio: ['ignore', 'ignore', 'ignore', file],
  })
  const isTaken = error ? isAnother(holder) : status !== 0
  if (isTaken) return holder || 'unknown'
  ftruncateSync(file)
  writeSync(file, `${process.pid}\n`)
  return null
}

function isAnother(holder: string): boolean {
  const pid = Number(holder)
  if (!Number.isSafeInteger(pid) || pid <= 0 || pid === process.pid) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
