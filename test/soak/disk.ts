import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { UsageError } from './options.ts'

/** Left when the disk is filled: less than most commits need. */
const LEFT_BYTES = 16_384

/** A folder for the data directory, on a file system of its own where that is to be filled. */
export class Disk {
  readonly #folder = mkdtempSync(join(tmpdir(), 'epochcast-soak-'))
  readonly #isOwn: boolean

  /** @throws UsageError where a file system of so many MiB cannot be mounted */
  constructor(mebibytes: number | null) {
    this.#isOwn = mebibytes !== null
    if (mebibytes === null) return
    const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', this.#folder])
    if (status === 0) return
    rmSync(this.#folder, { recursive: true })
    throw new UsageError('--disk-mib: a file system could not be mounted; it takes root')
  }

  get dataDirectory(): string {
    return join(this.#folder, 'data')
  }

  fill(): void {
    const { bavail, bsize } = statfsSync(this.#folder)
    writeFileSync(this.#ballast, Buffer.alloc(Math.max(0, bavail * bsize - LEFT_BYTES)))
  }

  empty(): void {
    rmSync(this.#ballast, { force: true })
  }

  close(): void {
    if (this.#isOwn) spawnSync('umount', ['--lazy', this.#folder])
    rmSync(this.#folder, { recursive: true, force: true })
  }

  get #ballast(): string {
    return join(this.#folder, 'ballast')
  }
}
