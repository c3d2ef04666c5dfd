import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PowerDisk } from '../processes/power-disk.ts'
import { UsageError } from './options.ts'

/** Left when the disk is filled: less than most commits need. */
const LEFT_BYTES = 16_384

/** Where the data directory is. */
export interface Disk {
  readonly path: string
  /** Cuts its power; null where that cannot be done. */
  readonly power: PowerDisk | null
  close(): void
}

interface DiskOptions {
  /** Size of a file system of its own, which can be filled; null for any. */
  readonly diskMiB: number | null
  readonly powerCuts: boolean
}

/** @throws UsageError where such a file system cannot be mounted */
export function openDisk({ diskMiB, powerCuts }: DiskOptions): Disk {
  try {
    if (powerCuts) {
      const power = new PowerDisk(diskMiB ?? undefined)
      return { path: power.path, power, close: () => power.close() }
    }
    return openFolder(diskMiB)
  } catch (error) {
    throw new UsageError(`a file system could not be mounted, which takes root: ${(error as Error).message}`)
  }
}

function openFolder(mebibytes: number | null): Disk {
  const path = mkdtempSync(join(tmpdir(), 'epochcast-soak-'))
  const isOwn = mebibytes !== null
  const close = () => {
    if (isOwn) spawnSync('umount', ['--lazy', path])
    rmSync(path, { recursive: true, force: true })
  }
  if (isOwn) {
    const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', path])
    if (status !== 0) {
      rmSync(path, { recursive: true })
      throw new Error(String(stderr))
    }
  }
  return { path, power: null, close }
}

/** Takes all room but a little. */
export function fill({ path }: Disk): void {
  const { bavail, bsize } = statfsSync(path)
  writeFileSync(ballastOf(path), Buffer.alloc(Math.max(0, bavail * bsize - LEFT_BYTES)))
}

export function empty({ path }: Disk): void {
  rmSync(ballastOf(path), { force: true })
}

export const dataDirectoryOn = ({ path }: Disk): string => join(path, 'data')

const ballastOf = (path: string): string => join(path, 'ballast')
