import { copyFileSync, existsSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DataDirectoryError } from './data-directory-error.ts'
import { flushFile } from './flush-file.ts'
import { checkReadable } from './format.ts'
import { readHead, readTask } from './head.ts'
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
    return { fileBytes: statSync(join(path, 'data.mdb')).size, ...counts, oldest }
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
    if (existsSync(target) && (!statSync(target).isDirectory() || readdirSync(target).length > 0)) {
      throw new DataDirectoryError(
        `${JSON.stringify(target)} is there already; expected a new directory, or an empty one`,
      )
    }
    mkdirSync(target, { recursive: true })
    await root.backup(target, false)
    // Last, so that a copy that was interrupted is none that a server would take.
    flushFile(join(target, 'data.mdb'))
    copyFileSync(join(path, 'format'), join(target, 'format'))
    flushFile(join(target, 'format'))
    flushFile(target)
  })
}

async function withTables<T>(path: string, use: (tables: Tables) => Promise<T>): Promise<T> {
  checkReadable(path)
  const tables = openTables({ path, fsync: true, mapBytes: MAP_BYTES, readOnly: true })
  try {
    return await use(tables)
  } finally {
    await tables.root.close()
  }
}
