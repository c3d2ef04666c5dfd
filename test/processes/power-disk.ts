import { execFile, spawnSync } from 'node:child_process'
import { closeSync, ftruncateSync, mkdirSync, mkdtempSync, openSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const MEBIBYTES = 2048

/**
 * FS_IOC_SHUTDOWN without a flush of the journal: from this moment on nothing gets to the device any more, and what
 * only the page cache had is gone, as when the power fails. File systems' own crash tests cut the power in this way.
 */
const CUT =
  'open my $disk, "<", $ARGV[0] or die $!; my $flag = pack "L", 2; ioctl $disk, 0x8004587D, $flag or die $!'

/**
 * A file system of its own, on a file, whose power can be cut. What the device has been given it keeps; a device that
 * loses its own cache, too, is not shown by this.
 */
export class PowerDisk {
  readonly #folder = mkdtempSync(join(tmpdir(), 'epochcast-power-'))

  /** @throws Error where none can be had: it takes Linux, root, ext4 and Perl */
  constructor(mebibytes = MEBIBYTES) {
    mkdirSync(this.path)
    const image = openSync(this.#image, 'w')
    ftruncateSync(image, mebibytes * 2 ** 20)
    closeSync(image)
    try {
      run('perl', '-e', '1')
      run('mkfs.ext4', '-q', '-F', this.#image)
      this.#mount()
    } catch (error) {
      rmSync(this.#folder, { recursive: true })
      throw error
    }
  }

  /** Where it is mounted. */
  get path(): string {
    return join(this.#folder, 'disk')
  }

  /** From here on all that uses it fails, until `restore`. */
  async cut(): Promise<void> {
    await promisify(execFile)('perl', ['-e', CUT, this.path])
  }

  /** The power is back: the file system recovers by its journal. Whoever had files open is gone by then. */
  restore(): void {
    run('umount', this.path)
    // From a copy of the device: where a mount namespace of somebody else still has the file system, mounting the same
    // one again would show what is shut down.
    run('cp', '--sparse=always', this.#image, `${this.#image}.copy`)
    renameSync(`${this.#image}.copy`, this.#image)
    this.#mount()
  }

  close(): void {
    spawnSync('umount', ['--lazy', this.path])
    rmSync(this.#folder, { recursive: true, force: true })
  }

  get #image(): string {
    return join(this.#folder, 'image')
  }

  #mount(): void {
    run('mount', '-o', 'loop', this.#image, this.path)
  }
}

/** Why there can be none here; null where there can. */
export function whyNoPowerDisk(): string | null {
  try {
    new PowerDisk(16).close()
    return null
  } catch (error) {
    return (error as Error).message
  }
}

function run(program: string, ...args: string[]): void {
  const { status, error, stderr } = spawnSync(program, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${program} failed: ${error?.message ?? stderr.trim()}`)
}
