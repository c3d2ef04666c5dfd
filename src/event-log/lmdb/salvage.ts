import { closeSync, openSync } from 'node:fs'
import { readHead } from './head.ts'
import { type Meta, readableMetas } from './pages.ts'
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
    const { meta, serials, problems } = bestSurvey(file)
    const counts = { records: 0, left: 0 }
    const waiting: [Table, Buffer, Buffer][] = []
    const write = () => {
      tables.root.transactionSync(() => {
        for (const [table, key, value] of waiting) table.putSync(key, value)
      })
      waiting.length = 0
    }
    walk(file, meta, (table, key, value) => {
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

/** What a meta leads to. */
interface Survey {
  readonly meta: Meta
  readonly problems: readonly string[]
  /** Of tasks that are there: records of others would be taken for those of a later task of that serial. */
  readonly serials: ReadonlySet<number>
  readonly unharmed: number
}

/** By way of the newest meta; where that, or what it alone leads to, is damaged, the older one has all but one transaction. */
function bestSurvey(file: number): Survey {
  const [newest, older] = readableMetas(file)
  const first = survey(file, newest as Meta)
  if (first.problems.length === 0 || !older) return first
  const second = survey(file, older)
  return second.unharmed > first.unharmed
    ? { ...second, problems: [...first.problems, ...second.problems].slice(0, MAX_PROBLEMS) }
    : first
}

function survey(file: number, meta: Meta): Survey {
  const serials = new Set<number>()
  let unharmed = 0
  const problems = walk(file, meta, (table, key, value) => {
    if (unseal(key, value)) unharmed++
    if (table === 'tasks' && isTask(key, value)) serials.add(serialOf(key))
  })
  return { meta, problems, serials, unharmed }
}

/** @returns what is wrong with the pages; it goes on behind it */
function walk(file: number, meta: Meta, take: TakeRecord): string[] {
  const problems: string[] = []
  const names: ReadonlySet<string> = new Set(TABLES)
  const onProblem = ({ message }: Error) => {
    if (problems.length < MAX_PROBLEMS) problems.push(message)
  }
  new TreeWalk(file, meta, onProblem).tables((table, key, value) => {
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
