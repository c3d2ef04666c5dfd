import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

const run = (...[program, ...args]: [string, ...string[]]) => spawnSync(program, args).status === 0

interface SmallDisk {
  readonly path: string
  /** Leaves no room but for so many bytes. */
  fill(free: number): void
  /** Gives it back. */
  empty(): void
  makeReadOnly(): void
}

function mount(megabytes: number): SmallDisk {
  const path = mkdtempSync(join(tmpdir(), 'epochcast-disk-'))
  if (!run('mount', '-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', path)) {
    rmSync(path, { recursive: true })
    throw new Error('a small file system could not be mounted')
  }
  onTestFinished(() => {
    run('umount', '--lazy', path)
    rmSync(path, { recursive: true })
  })
  const ballast = join(path, 'ballast')
  return {
    path,
    fill: (free) => writeFileSync(ballast, Buffer.alloc(megabytes * 1_048_576 - free)),
    empty: () => rmSync(ballast),
    makeReadOnly: () => void run('mount', '-o', 'remount,ro', path),
  }
}

/** A file system of a few megabytes. Only root can mount one: elsewhere the tests of a full disk are skipped. */
export const fullDisk = {
  mount,
  isPossible: (() => {
    const path = mkdtempSync(join(tmpdir(), 'epochcast-disk-'))
    const isMounted = run('mount', '-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', path)
    if (isMounted) run('umount', path)
    rmSync(path, { recursive: true })
    return isMounted
  })(),
}
