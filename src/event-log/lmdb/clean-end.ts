import { spawnSync } from 'node:child_process'
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DataDirectoryError } from './data-directory-error.ts'
import { TABLES } from './tables.ts'

/*
 * A store that is closed leaves a mark with the size of its file. Where there is none, or another size, everything is
 * read once before it is opened: a page that is damaged or missing would end the server when it reads it.
 */

const CHECKER = fileURLToPath(new URL('./check-file.js', import.meta.url))
const MAX_WORDS = 300

const markOf = (path: string) => join(path, 'closed')
const fileOf = (path: string) => join(path, 'data.mdb')

/**
 * To be called before the tables are opened.
 *
 * @returns how many records are not as they were written
 * @throws DataDirectoryError where not all of it can be read
 */
export function checkEnd(path: string): number {
  const isClean = existsSync(markOf(path)) && readFileSync(markOf(path), 'utf8').trim() === sizeOf(path)
  const damaged = isClean || !existsSync(fileOf(path)) ? 0 : readAll(path)
  rmSync(markOf(path), { force: true })
  flushNames(path)
  return damaged
}

/** To be called once the tables are closed. */
export function markEnd(path: string): void {
  writeFileSync(markOf(path), `${sizeOf(path)}\n`)
  flushNames(path)
}

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

const sizeOf = (path: string): string => (existsSync(fileOf(path)) ? `${statSync(fileOf(path)).size}` : '0')

/** So that a file that was made or removed is so after a power cut, too. */
function flushNames(path: string): void {
  const directory = openSync(path, 'r')
  fsyncSync(directory)
  closeSync(directory)
}
