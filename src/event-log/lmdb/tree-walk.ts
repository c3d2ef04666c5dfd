import { fstatSync } from 'node:fs'
import {
  branchNodes,
  checkHeader,
  HEADER_BYTES,
  type LeafNode,
  leafNodes,
  likelyNodes,
  type Meta,
  overflowPagesOf,
  PageError,
  readPage,
  TREE_BYTES,
  type Tree,
  treeIn,
} from './pages.ts'

type Compare = (a: Buffer, b: Buffer) => number
type TakeRecord = (key: Buffer, value: Buffer, isTree: boolean) => void

interface Walked {
  readonly name: string
  readonly tree: Tree
  readonly compare: Compare
  readonly take: TakeRecord
  readonly counts: { branchPages: number; leafPages: number; overflowPages: number; entries: number }
}

/** Keys of a page are at least the first and less than the second; null for no such bound. */
type Bounds = readonly [from: Buffer | null, before: Buffer | null]

/** More than this is not freed again without ever having been written. */
const MAX_PAGES_BEYOND_END = 2 ** 20
const MAX_DEPTH = 32

/**
 * Goes through all pages of a file that are in use, and tells what is wrong with them. Where it is told to go on, it
 * leaves out what cannot be reached.
 */
export class TreeWalk {
  readonly #file: number
  readonly #meta: Meta
  readonly #onProblem: (error: PageError) => void
  /** A bit for each page that was met. */
  readonly #met: Uint8Array

  /** @param onProblem throws, or it goes on */
  constructor(file: number, meta: Meta, onProblem: (error: PageError) => void) {
    this.#file = file
    this.#meta = meta
    this.#onProblem = onProblem
    const pages = fstatSync(file).size / meta.pageBytes
    if (meta.lastPage > pages + MAX_PAGES_BEYOND_END)
      throw new PageError(`the file has ${pages} pages; its last one should be ${meta.lastPage}`)
    this.#met = new Uint8Array(Math.ceil((meta.lastPage + 1) / 8))
  }

  /** All records of all tables. */
  tables(take: (table: string, key: Buffer, value: Buffer) => void): void {
    const tables: (readonly [string, Tree])[] = []
    this.#walk('of tables', this.#meta.main, Buffer.compare, (name, value, isTree) => {
      // The library ends names by a zero.
      const text = name.toString().replace(/\0$/, '')
      if (isTree && value.length === TREE_BYTES) tables.push([text, treeIn(value)])
      else this.#onProblem(new PageError(`${text} is no table`))
    })
    for (const [name, tree] of tables) {
      if (tree.flags !== 0) this.#onProblem(new PageError(`the table ${name} is of kind ${tree.flags}`))
      this.#walk(name, tree, Buffer.compare, (key, value, isTree) => {
        if (isTree) this.#onProblem(new PageError(`the table ${name} has a table in it`))
        else take(name, key, value)
      })
    }
  }

  /** To be called after `tables`: what they have cannot be free. */
  freeList(): void {
    const lists: Buffer[] = []
    this.#walk('of free pages', this.#meta.free, compareNumbers, (_, value) => lists.push(value))
    // The pages of the list itself are in use, too.
    for (const list of lists) for (const page of freePages(list)) this.#meet(page, 'free')
  }

  #walk(name: string, tree: Tree, compare: Compare, take: TakeRecord): void {
    const counts = { branchPages: 0, leafPages: 0, overflowPages: 0, entries: 0 }
    this.#attempt(() => {
      if ((tree.root === null) !== (tree.depth === 0) || tree.depth > MAX_DEPTH)
        throw new PageError(`the tree ${name} has ${tree.depth} levels`)
      if (tree.root !== null) this.#visit({ name, tree, compare, take, counts }, tree.root, 1, [null, null])
      for (const [what, count] of Object.entries(counts)) {
        const expected = tree[what as keyof typeof counts]
        if (count !== expected)
          throw new PageError(`the tree ${name} has ${count} ${what}; expected ${expected}`)
      }
    })
  }

  #visit(walked: Walked, number: number, depth: number, bounds: Bounds): void {
    if (depth === walked.tree.depth) {
      walked.counts.leafPages++
      for (const node of this.#leaf(walked, number, bounds)) this.#attempt(() => this.#record(walked, node))
      return
    }
    walked.counts.branchPages++
    this.#meet(number, 'branch')
    const page = readPage(this.#file, number, this.#meta.pageBytes)
    this.#attempt(() => checkHeader(page, 'branch', this.#meta.transaction))
    const nodes = branchNodes(page)
    if (nodes.length < 2) throw new PageError(`page ${number} is a branch with ${nodes.length} children`)
    const [from, before] = bounds
    for (const [i, { key, child }] of nodes.entries()) {
      const next = nodes[i + 1]?.key ?? before
      this.#attempt(() => {
        if (i > 0 && next && walked.compare(key, next) >= 0)
          throw new PageError(`page ${number} has keys that are not in order`)
        this.#visit(walked, child, depth + 1, [i === 0 ? from : key, next])
      })
    }
  }

  #leaf({ compare }: Walked, number: number, [from, before]: Bounds): LeafNode[] {
    this.#meet(number, 'leaf')
    const page = readPage(this.#file, number, this.#meta.pageBytes)
    try {
      checkHeader(page, 'leaf', this.#meta.transaction)
      const nodes = leafNodes(page)
      for (const [i, { key }] of nodes.entries()) {
        const last = nodes[i - 1]?.key
        const isAfter = last ? compare(key, last) > 0 : !from || compare(key, from) >= 0
        if (!isAfter || (before && compare(key, before) >= 0))
          throw new PageError(`page ${number} has keys that are not in order`)
      }
      return nodes
    } catch (error) {
      if (!(error instanceof PageError)) throw error
      this.#onProblem(error)
      return likelyNodes(page)
    }
  }

  #record({ take, counts }: Walked, { key, value, isTree }: LeafNode): void {
    counts.entries++
    if (Buffer.isBuffer(value)) {
      take(key, value, isTree)
      return
    }
    const { page: number, pages, length } = value
    const { pageBytes } = this.#meta
    const needed = Math.ceil((HEADER_BYTES + length) / pageBytes)
    counts.overflowPages += needed
    if (pages !== needed)
      throw new PageError(`page ${number} begins a record of ${pages} pages; expected ${needed}`)
    for (let i = 0; i < pages; i++) this.#meet(number + i, 'overflow')
    const page = readPage(this.#file, number, pageBytes, pages)
    this.#attempt(() => {
      checkHeader(page, 'overflow', this.#meta.transaction)
      if (overflowPagesOf(page) !== pages)
        throw new PageError(
          `page ${number} says that it has ${overflowPagesOf(page)} pages; expected ${pages}`,
        )
    })
    take(key, page.bytes.subarray(HEADER_BYTES, HEADER_BYTES + length), isTree)
  }

  #meet(number: number, what: string): void {
    if (number < 2 || number > this.#meta.lastPage)
      throw new PageError(`page ${number} (${what}) is outside of the file's ${this.#meta.lastPage + 1}`)
    const bit = 1 << (number & 7)
    const at = Math.floor(number / 8)
    const before = this.#met[at] as number
    if (before & bit) throw new PageError(`page ${number} (${what}) is in use twice`)
    this.#met[at] = before | bit
  }

  #attempt(act: () => void): void {
    try {
      act()
    } catch (error) {
      if (!(error instanceof PageError)) throw error
      this.#onProblem(error)
    }
  }
}

/** Keys of the list of free pages are numbers, in the machine's own order of bytes. */
const compareNumbers: Compare = (a, b) => {
  if (a.length !== 8 || b.length !== 8)
    throw new PageError('the list of free pages has a key of another length')
  return Number(a.readBigUInt64LE() - b.readBigUInt64LE())
}

/**
 * A list is the number of its entries, and these: a page, or how many pages follow (negative) and the first of them, or 0
 * for none.
 */
function* freePages(list: Buffer): Generator<number> {
  const entries = list.length < 8 ? -1 : Number(list.readBigInt64LE())
  if (entries < 0 || 8 * (entries + 1) > list.length)
    throw new PageError(`a list of free pages has ${entries} entries in ${list.length} bytes`)
  for (let i = 1; i <= entries; i++) {
    const entry = Number(list.readBigInt64LE(8 * i))
    if (entry > 0) yield entry
    if (entry >= 0) continue
    const first = i < entries ? Number(list.readBigInt64LE(8 * ++i)) : 0
    if (first <= 0) throw new PageError(`a list of free pages has ${-entry} pages from ${first} on`)
    for (let page = first; page < first - entry; page++) yield page
  }
}
