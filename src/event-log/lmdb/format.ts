import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { DataDirectoryError } from './data-directory-error.ts'

/** How records, keys and tables are laid out. Raised by what an older version could not read, or would read wrongly. */
const FORMAT = 1

/** What makes a directory of each older format one of the next; by the older one's number. */
const MIGRATIONS: Readonly<Record<number, (path: string) => void>> = {}

/**
 * Sees that a directory is of this version's format: a new one is marked, an older one brought up to it.
 *
 * @throws DataDirectoryError
 */
export function checkFormat(path: string): void {
  const file = join(path, 'format')
  if (!existsSync(file)) {
    if (existsSync(join(path, 'data.mdb')))
      throw new DataDirectoryError(unreadable(path, 'has no file "format"'))
    write(path, FORMAT)
    return
  }
  const text = readFileSync(file, 'utf8').trim()
  const found = /^epochcast (\d+)$/.exec(text)?.[1]
  if (found === undefined)
    throw new DataDirectoryError(unreadable(path, `has a file "format" of another kind`))
  for (let format = Number(found); format !== FORMAT; format++) {
    const migrate = MIGRATIONS[format]
    if (!migrate) {
      throw new DataDirectoryError(
        `is ${JSON.stringify(path)}, whose format is ${found}; expected ${FORMAT}: use the version of Epochcast that wrote it, or another directory`,
      )
    }
    migrate(path)
    write(path, format + 1)
  }
}

/**
 * Sees that a directory can be read by this version, and leaves it as it is.
 *
 * @throws DataDirectoryError
 */
export function checkReadable(path: string): void {
  const text = existsSync(join(path, 'data.mdb')) ? readFileSync(join(path, 'format'), 'utf8').trim() : null
  if (text === `epochcast ${FORMAT}`) return
  const found =
    text === null ? 'has no tasks' : `is of ${JSON.stringify(text)}; expected "epochcast ${FORMAT}"`
  throw new DataDirectoryError(`${JSON.stringify(path)} ${found}`)
}

const unreadable = (path: string, found: string): string =>
  `is ${JSON.stringify(path)}, which ${found} and so is no data directory of Epochcast; expected one, or an empty directory`

/** Whole or not at all, whatever happens meanwhile. */
function write(path: string, format: number): void {
  const file = openSync(join(path, 'format.new'), 'w')
  writeSync(file, `epochcast ${format}\n`)
  fsyncSync(file)
  closeSync(file)
  renameSync(join(path, 'format.new'), join(path, 'format'))
}
