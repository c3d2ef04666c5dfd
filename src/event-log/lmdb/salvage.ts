import { closeSync, openSync } from 'node:fs'
import { readHead } from './head.ts'
import { readAnyMeta } from './pages.ts'
import { unseal } from './records.ts'
import { isOfTask, serialOf, TABLES, type Table, type Tables } from './tables.ts'
import { TreeWalk } from './tree-walk.ts'

/** Records that are written in one transaction. */
const TOGETHER = 5000
const MAX_PROBLEMS = 20

export interface Salvaged {
  readonly records: number
  /** Records that are not as they were written, or whose task is not there. */
  readonly left: number
  /** What is wrong with the file's pages. */
  readonly problems: readonly string[]
}

type Name = (typeof TABLES)[number]
type TakeRecord = (table: Name, key: Buffer, value: Buffer) => void

/** Copies each record that is as it was written, of tasks whose heads are, from a file whose pages may be damaged. */
export function copyUnharmed(path: string, tables: Tables): Salvaged {
  const file = openSync(path, 'r')
  try {
    // Records of a task that is not there would be taken for those of a later one of its serial.
    const serials = new Set<number>()
    const problems = walk(file, (table, key, value) => {
      if (table === 'tasks' && isTask(key, value)) serials.add(serialOf(key))
    })
    const counts = { records: 0, left: 0 }
    const waiting: [Table, Buffer, Buffer][] = []
    const write = () => {
      tables.root.transactionSync(() => {
        for (const [table, key, value] of waiting) table.putSync(key, value)
      })
      waiting.length = 0
    }
    walk(file, (table, key, value) => {
      const isKept = unseal(key, value) && (!isOfTask(table) || serials.has(serialOf(key)))
      counts[isKept ? 'records' : 'left']++
      if (isKept) waiting.push([tables[table], Buffer.from(key), Buffer.from(value)])
      if (waiting.length >= TOGETHER) write()
    })
    write()
    return { ...counts, problems }
  } finally {
    closeSync(file)
  }
}

/** @returns what is wrong with the pages; it goes on behind it */
function walk(file: number, take: TakeRecord): string[] {
  const problems: string[] = []
  const names: ReadonlySet<string> = new Set(TABLES)
  const onProblem = ({ message }: Error) => {
    if (problems.length < MAX_PROBLEMS) problems.push(message)
  }
  new TreeWalk(file, readAnyMeta(file), onProblem).tables((table, key, value) => {
    if (names.has(table) && key.length >= (isOfTask(table) ? 6 : 1)) take(table as Name, key, value)
  })
  return problems
}

function isTask(key: Buffer, value: Buffer): boolean {
  try {
    return readHead(key, value)?.serial === serialOf(key)
  } catch {
    // A record of another table, to which a damaged page led.
    return false
  }
}
