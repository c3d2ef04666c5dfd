import { existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type CheckedFile, checkFile, fileOf, transactionOf, UNCHECKED } from './check-file.ts'
import { flushFile } from './flush-file.ts'

/*
 * A store writes down how it runs (`running`), and once it is closed, with which file it ended (`closed`). By these the
 * next one knows what may be wrong with that file:
 *
 * - All of it is read before it is opened, unless it was closed and is large: what is damaged would end the server when
 *   it reads it, or harm what is not.
 * - It may be older than what was shown of it: the machine lost what was not flushed, or it is a copy. Its logs then may
 *   go on with other events at offsets that a viewer has seen, so they need generations of their own.
 */

/** How the run before ended. */
export interface LastEnd extends CheckedFile {
  /** Why the file may lack what was acknowledged and shown; null where it cannot. */
  readonly mayBeOlder: string | null
}

/** A file that was closed is read all the same where that takes about a second. */
const QUICKLY_READ_BYTES = 512 * 2 ** 20
/** Drawn by Linux at every boot. */
const BOOT_ID = '/proc/sys/kernel/random/boot_id'

const closedOf = (path: string) => join(path, 'closed')
const runningOf = (path: string) => join(path, 'running')

/**
 * To be called before the tables are opened.
 *
 * @throws DataDirectoryError where the file cannot be used
 */
export function lastEnd(path: string): LastEnd {
  if (!existsSync(fileOf(path))) return { ...UNCHECKED, mayBeOlder: null }
  const [size, inode, transaction] = readWords(closedOf(path))
  const isClosed = size === `${statSync(fileOf(path)).size}`
  const mayBeOlder = isClosed ? (copied(path, inode) ?? rolledBack(path, transaction)) : lost(path)
  const isLeftOut = isClosed && Number(size) > QUICKLY_READ_BYTES
  const checked = isLeftOut ? UNCHECKED : checkFile(path)
  return { ...checked, mayBeOlder }
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
  const words = [statSync(fileOf(path)).size, inodeOf(path), transactionOf(path) ?? 'unknown']
  writeFileSync(closedOf(path), `${words.join(' ')}\n`)
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

/** What was closed ends with another transaction where its newest meta is damaged. */
const rolledBack = (path: string, transaction: string | undefined): string | null =>
  transaction === `${transactionOf(path) ?? 'unknown'}`
    ? null
    : 'it does not have the last of what was written'

const inodeOf = (path: string): string => `${statSync(fileOf(path)).ino}`

/** None where the system does not tell: then nothing shows that the machine was not started since. */
const bootId = (): string | undefined => readWords(BOOT_ID)[0]

const readWords = (file: string): string[] =>
  existsSync(file) ? readFileSync(file, 'utf8').trim().split(' ') : []
