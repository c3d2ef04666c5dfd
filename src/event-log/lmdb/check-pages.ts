import { closeSync, openSync } from 'node:fs'
import { PageError, readMeta } from './pages.ts'
import { unseal } from './records.ts'
import { isOfTask, serialOf, WORD_BYTES } from './tables.ts'
import { TreeWalk } from './tree-walk.ts'

/*
 * LMDB trusts its pages: one that is damaged or missing can end the process that reads it, and one whose number was altered,
 * or which stands in the list of free pages although it is in use, has others overwritten later. So all of them are looked at
 * before LMDB sees any. Every page that is in use is reached once, from where it should be; what it says of itself is
 * true; keys are in order; trees have as many pages and records as they say.
 */

export interface CheckedPages {
  /** How many records are not as they were written, by the serial of their task; 0 for those of none. */
  readonly damaged: ReadonlyMap<number, number>
  /** Why the list of free pages must not be used; null where nothing is wrong with it. */
  readonly freeList: string | null
}

/** @throws PageError, or what reading the file failed with */
export const checkPages = (path: string): CheckedPages =>
  withFile(path, (file) => {
    const walk = new TreeWalk(file, readMeta(file), (error) => {
      throw error
    })
    const damaged = new Map<number, number>()
    walk.tables((table, key, value) => {
      if (unseal(key, value)) return
      const serial = isOfTask(table) && key.length >= WORD_BYTES ? serialOf(key) : 0
      damaged.set(serial, (damaged.get(serial) ?? 0) + 1)
    })
    return { damaged, freeList: freeListProblem(walk) }
  })

/** @throws PageError */
export const newestTransaction = (path: string): number =>
  withFile(path, (file) => readMeta(file).transaction)

/** What is wrong with the list of free pages has harmed nothing that is in use yet. */
function freeListProblem(walk: TreeWalk): string | null {
  try {
    walk.freeList()
    return null
  } catch (error) {
    if (error instanceof PageError) return error.message
    throw error
  }
}

function withFile<T>(path: string, use: (file: number) => T): T {
  const file = openSync(path, 'r')
  try {
    return use(file)
  } finally {
    closeSync(file)
  }
}
