import { spawnSync } from 'node:child_process'
import { mkdirSync, renameSync, rmSync } from 'node:fs'
import { endianness } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { checkPages, newestTransaction } from './check-pages.ts'
import { DataDirectoryError } from './data-directory-error.ts'
import { flushFile } from './flush-file.ts'
import { PageError } from './pages.ts'

const COMPACTER = fileURLToPath(new URL('./compact-file.js', import.meta.url))
const MAX_WORDS = 300
/** Elsewhere the file is laid out in another way, and cannot be looked at. */
const IS_KNOWN = endianness() === 'LE' && !['arm', 'ia32'].includes(process.arch)

export interface CheckedFile {
  /** How many records are not as they were written, by the serial of their task; 0 for those of none. */
  readonly damaged: ReadonlyMap<number, number>
  /** Why its list of free pages was made anew; null where it was not. */
  readonly rebuilt: string | null
}

/** Nothing is known to be wrong. */
export const UNCHECKED: CheckedFile = { damaged: new Map(), rebuilt: null }

export const fileOf = (path: string): string => join(path, 'data.mdb')

/**
 * Reads all of a data directory's file, which LMDB must not have open, and makes one without its list of free pages
 * where only that is damaged.
 *
 * @throws DataDirectoryError where LMDB must not use it
 */
export function checkFile(path: string): CheckedFile {
  if (!IS_KNOWN) return UNCHECKED
  try {
    const { damaged, freeList } = checkPages(fileOf(path))
    if (freeList !== null) rebuild(path)
    return { damaged, rebuilt: freeList }
  } catch (error) {
    throw damagedFile(path, error)
  }
}

/**
 * The number of the newest transaction in it; null where that is not known.
 *
 * @throws DataDirectoryError
 */
export function transactionOf(path: string): number | null {
  if (!IS_KNOWN) return null
  try {
    return newestTransaction(fileOf(path))
  } catch (error) {
    throw damagedFile(path, error)
  }
}

/** Pages are counted as free that are in use: LMDB would write over them. */
function rebuild(path: string): void {
  const target = join(path, 'rebuilt')
  rmSync(target, { recursive: true, force: true })
  mkdirSync(target)
  const { status, signal, stderr } = spawnSync(process.execPath, [COMPACTER, path, target], {
    encoding: 'utf8',
  })
  if (status !== 0) {
    const words = /\w*Error: (.*?)\]?$/m.exec(stderr)?.[1] ?? signal ?? stderr.trim()
    throw new PageError(`its list of free pages, and without it it could not be copied: ${words}`)
  }
  checkPages(fileOf(target))
  flushFile(fileOf(target))
  renameSync(fileOf(target), fileOf(path))
  rmSync(target, { recursive: true })
  flushFile(path)
}

function damagedFile(path: string, error: unknown): Error {
  const { code, message } = error as NodeJS.ErrnoException
  if (!(error instanceof PageError) && code === undefined) return error as Error
  return new DataDirectoryError(
    `is ${JSON.stringify(path)}, whose file data.mdb is damaged (${message.slice(0, MAX_WORDS)}); restore a backup of the directory, or copy what is unharmed of it by "epochcast data salvage"`,
    { cause: error },
  )
}
