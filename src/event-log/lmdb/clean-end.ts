import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DataDirectoryError } from './data-directory-error.ts'
import { flushFile } from './flush-file.ts'
import { TABLES } from './tables.ts'

/*
 * A store writes down how it runs (`running`), and once it is closed, with which file it ended (`closed`). By these the
 * next one knows what may be wrong with that file:
 *
 * - Nobody closed it: everything is read once before it is opened, since a page that is damaged or missing would end
 *   the server when it reads it.
 * - It may be older than what was shown of it: the machine lost what was not flushed, or it is a copy. Its logs then may
 *   go on with other events at offsets that a viewer has seen, so they need generations of their own.
 */

/** How the run before ended. */
export interface LastEnd {
  /** Records that are not as they were written, as far as they were looked at. */
  readonly damaged: number
  /** Why the file may lack what was acknowledged and shown; null where it cannot. */
  readonly mayBeOlder: string | null
}

const CHECKER = fileURLToPath(new URL('./check-file.js', import.meta.url))
const MAX_WORDS = 300
/** Drawn by Linux at every boot. */
const BOOT_ID = '/proc/sys/kernel/random/boot_id'

const fileOf = (path: string) => join(path, 'data.mdb')
const closedOf = (path: string) => join(path, 'closed')
const runningOf = (path: string) => join(path, 'running')

/**
 * To be called before the tables are opened; changes nothing.
 *
 * @throws DataDirectoryError where not all of the file can be read
 */
export function lastEnd(path: string): LastEnd {
  if (!existsSync(fileOf(path))) return { damaged: 0, mayBeOlder: null }
  const closed = readWords(closedOf(path))
  const isClean = closed[0] === `${statSync(fileOf(path)).size}`
  return { damaged: isClean ? 0 : readAll(path), mayBeOlder: isClean ? copied(path, closed[1]) : lost(path) }
}

/** To be called once the tables are open, and before the first write that is to be kept. */
export function markRunning(path: string, { fsync }: { readonly fsync: boolean }): void {
  // Of what a run before did not flush, nothing may be missing once this one says that it flushes all.
  flushFile(fileOf(path))
  const words = [inodeOf(path), fsync ? 'fsync' : 'no-fsync', bootId() ?? 'unknown']
  writeFileSync(`${runningOf(path)}.new`, `${words.join(' ')}\n`)
  flushFile(`${runningOf(path)}.new`)
  renameSync(`${runningOf(path)}.new`, runningOf(path))
  rmSync(closedOf(path), { force: true })
  flushFile(path)
}

/** To be called once the tables are closed. */
export function markEnd(path: string): void {
  writeFileSync(closedOf(path), `${statSync(fileOf(path)).size} ${inodeOf(path)}\n`)
  flushFile(path)
}

/** What nobody closed has all that was written, unless the machine forgot it. */
function lost(path: string): string | null {
  const [inode, flushed, boot] = readWords(runningOf(path))
  const copy = copied(path, inode)
  if (copy !== null || flushed === 'fsync') return copy
  return boot === bootId()
    ? null
    : 'its last run did not flush what it wrote, and the machine was started since'
}

/** A copy has the bytes of its file, but not its place. */
const copied = (path: string, inode: string | undefined): string | null =>
  inode === inodeOf(path) ? null : 'it is a copy, which another server may have gone on from'

function readAll(path: string): number {
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, [CHECKER, path, ...TABLES], {
    encoding: 'utf8',
  })
  if (status === 0) return Number(stdout)
  const words = /^\w*Error: .*$/m.exec(stderr)?.[0] ?? signal ?? stderr
  throw new DataDirectoryError(
    `is ${JSON.stringify(path)}, whose file data.mdb is damaged (${words.slice(0, MAX_WORDS)}); restore a backup of the directory, or move it away to begin anew`,
  )
}

const inodeOf = (path: string): string => `${statSync(fileOf(path)).ino}`

/** None where the system does not tell: then nothing shows that the machine was not started since. */
const bootId = (): string | undefined => readWords(BOOT_ID)[0]

const readWords = (file: string): string[] =>
  existsSync(file) ? readFileSync(file, 'utf8').trim().split(' ') : []
