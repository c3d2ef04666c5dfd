import { copyFileSync, existsSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { checkFile, fileOf } from './check-file.ts'
import { claimDirectory } from './data-directory.ts'
import { DataDirectoryError } from './data-directory-error.ts'
import { flushFile } from './flush-file.ts'
import { checkReadable } from './format.ts'
import { readHead, readTask } from './head.ts'
import { copyUnharmed, type Salvaged } from './salvage.ts'
import { openTables, serialOf, type Tables } from './tables.ts'

/*
 * What can be done with a data directory from outside, also while a server has it: LMDB lets other processes read.
 */

const MAP_BYTES = 2 ** 40

export interface DataSummary {
  readonly fileBytes: number
  readonly tasks: number
  readonly unfinished: number
  /** Tasks whose records are not as they were written. */
  readonly damaged: number
  /** When the oldest task was created, in milliseconds since the epoch; null where there is none. */
  readonly oldest: number | null
}

/** @throws DataDirectoryError */
export function inspect(path: string): Promise<DataSummary> {
  return withTables(path, async ({ tasks: table }) => {
    const counts = { tasks: 0, unfinished: 0, damaged: 0 }
    let oldest: number | null = null
    for (const { key, value } of table.getRange({})) {
      const head = readHead(key, value)
      if (!head) {
        counts.damaged++
        continue
      }
      counts.tasks++
      if (head.finishedAt === null) counts.unfinished++
      oldest ??= readTask(table, serialOf(key))?.state.spec.createdAt ?? null
    }
    return { fileBytes: statSync(fileOf(path)).size, ...counts, oldest }
  })
}

/**
 * Copies a data directory as it is at one moment, to a new one that a server can use.
 *
 * @param target is created; an empty directory will do
 * @throws DataDirectoryError
 */
export function backUp(path: string, target: string): Promise<void> {
  return withTables(path, async ({ root }) => {
    makeEmpty(target)
    await root.backup(target, false)
    finish(path, target)
  })
}

/**
 * Copies what is as it was written of a directory whose file is damaged, to a new one that a server can use.
 *
 * @param target is created; an empty directory will do
 * @throws DataDirectoryError
 */
export async function salvage(path: string, target: string): Promise<Salvaged> {
  checkReadable(path)
  const { release } = claimDirectory(path)
  try {
    makeEmpty(target)
    const tables = openTables({ path: target, fsync: true, mapBytes: MAP_BYTES })
    try {
      return copyUnharmed(fileOf(path), tables)
    } finally {
      await tables.root.close()
      finish(path, target)
    }
  } finally {
    release()
  }
}

function makeEmpty(target: string): void {
  if (existsSync(target) && (!statSync(target).isDirectory() || readdirSync(target).length > 0)) {
    throw new DataDirectoryError(
      `${JSON.stringify(target)} is there already; expected a new directory, or an empty one`,
    )
  }
  mkdirSync(target, { recursive: true })
}

/** Last, so that a copy that was interrupted is none that a server would take. */
function finish(path: string, target: string): void {
  flushFile(fileOf(target))
  copyFileSync(join(path, 'format'), join(target, 'format'))
  flushFile(join(target, 'format'))
  flushFile(target)
}

async function withTables<T>(path: string, use: (tables: Tables) => Promise<T>): Promise<T> {
  checkReadable(path)
  checkUnlessHeld(path)
  const tables = openTables({ path, fsync: true, mapBytes: MAP_BYTES, readOnly: true })
  try {
    return await use(tables)
  } finally {
    await tables.root.close()
  }
}

/** A server has checked what it holds; and while it writes, nobody else can. */
function checkUnlessHeld(path: string): void {
  let release: () => void
  try {
    ;({ release } = claimDirectory(path))
  } catch (error) {
    if (error instanceof DataDirectoryError) return
    throw error
  }
  try {
    checkFile(path)
  } finally {
    release()
  }
}
