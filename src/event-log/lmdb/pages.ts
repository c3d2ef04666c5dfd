import { fstatSync, readSync } from 'node:fs'

/*
 * The file of LMDB as bytes: the layout that the library's own version writes (data version 2, 64 bits, little-endian).
 * Page 0 and 1 are metas, of which the one with the higher transaction counts; all others belong to a tree, to a record that
 * is too large for one (overflow), or to the list of free pages.
 */

export const HEADER_BYTES = 24
const NODE_BYTES = 8
const MAGIC = 0xbeefc0de
const DATA_VERSION = 2
const META = { freeTree: 48, mainTree: 96, lastPage: 144, transaction: 152, bytes: 168 } as const
/** The least that a page can have; both metas lie within twice this, whatever it is. */
const MIN_PAGE_BYTES = 512
const USUAL_PAGE_BYTES = 4096
const NONE = 2 ** 64

const PAGE_FLAGS = { branch: 1, leaf: 2, overflow: 4, meta: 8 } as const
/** Of the list of free pages: its keys are whole numbers. The library takes others for what the file is, such as encrypted. */
const FREE_TREE_FLAGS = 8
const NODE_FLAGS = { overflow: 1, tree: 2 } as const

/** What is wrong with a file, in words that name the page. */
export class PageError extends Error {
  override name = 'PageError'
}

/** A tree as its record says. */
export interface Tree {
  readonly flags: number
  readonly depth: number
  readonly branchPages: number
  readonly leafPages: number
  readonly overflowPages: number
  readonly entries: number
  /** Null where it is empty. */
  readonly root: number | null
}

export interface Meta {
  readonly transaction: number
  readonly pageBytes: number
  readonly lastPage: number
  readonly free: Tree
  readonly main: Tree
}

export interface Page {
  readonly number: number
  readonly bytes: Buffer
}

/** A record in a leaf: its value, or where it is; or a tree of its own. */
export interface LeafNode {
  readonly key: Buffer
  readonly value: Buffer | { readonly page: number; readonly pages: number; readonly length: number }
  readonly isTree: boolean
}

export interface BranchNode {
  /** Least key of the child; of the first child it says nothing. */
  readonly key: Buffer
  readonly child: number
}

/** Numbers that no file has become large ones, which no check lets pass. */
const u64 = (bytes: Buffer, at: number): number => Number(bytes.readBigUInt64LE(at))

/** @throws PageError where the two are not those of neighbouring transactions */
export function readMeta(file: number): Meta {
  const first = metaAt(read(file, 0, META.bytes), 0)
  const second = metaAt(read(file, first.pageBytes, META.bytes), 1)
  const [older, newer] = first.transaction < second.transaction ? [first, second] : ([second, first] as const)
  // A copy without free pages has its one transaction, whatever its number.
  if (older.transaction > 0 && newer.transaction - older.transaction > 1)
    throw new PageError(
      `the metas are of transactions ${first.transaction} and ${second.transaction}; expected neighbours`,
    )
  if (newer.pageBytes !== older.pageBytes) throw new PageError('the metas differ in the size of their pages')
  return newer
}

/**
 * Those that can be read, of pages of the usual size, the newest first. How many pages there are, the file itself tells.
 *
 * @throws PageError where there is none
 */
export function readableMetas(file: number): Meta[] {
  const { size } = fstatSync(file)
  const found = [0, 1].flatMap((number) => {
    try {
      const meta = metaAt(read(file, number * USUAL_PAGE_BYTES, META.bytes), number)
      return [{ ...meta, lastPage: Math.floor(size / meta.pageBytes) - 1 }]
    } catch (error) {
      if (error instanceof PageError) return []
      throw error
    }
  })
  if (found.length === 0) throw new PageError('neither meta can be read')
  return found.sort((a, b) => b.transaction - a.transaction)
}

function metaAt(bytes: Buffer, number: number): Meta {
  const fail = (what: string) => new PageError(`page ${number} is no meta: ${what}`)
  if (u64(bytes, 0) !== number || !(bytes.readUInt16LE(18) & PAGE_FLAGS.meta)) throw fail('its header')
  if (bytes.readUInt32LE(24) !== MAGIC) throw fail('its magic')
  if ((bytes.readUInt32LE(28) & 0xffff) !== DATA_VERSION) throw fail('its version')
  const pageBytes = bytes.readUInt32LE(META.freeTree)
  if (pageBytes < MIN_PAGE_BYTES || pageBytes > 65_536 || (pageBytes & (pageBytes - 1)) !== 0)
    throw fail(`pages of ${pageBytes} bytes`)
  const transaction = u64(bytes, META.transaction)
  if (transaction > 0 && transaction % 2 !== number) throw fail(`transaction ${transaction}`)
  const free = treeIn(bytes.subarray(META.freeTree))
  const main = treeIn(bytes.subarray(META.mainTree))
  if (free.flags !== FREE_TREE_FLAGS || main.flags !== 0)
    throw fail(`trees of kind ${free.flags} and ${main.flags}`)
  return { transaction, pageBytes, lastPage: u64(bytes, META.lastPage), free, main }
}

export const TREE_BYTES = 48

export function treeIn(bytes: Buffer): Tree {
  const root = u64(bytes, 40)
  return {
    flags: bytes.readUInt16LE(4),
    depth: bytes.readUInt16LE(6),
    branchPages: u64(bytes, 8),
    leafPages: u64(bytes, 16),
    overflowPages: u64(bytes, 24),
    entries: u64(bytes, 32),
    root: root === NONE ? null : root,
  }
}

/** @throws PageError where the file ends before it */
export const readPage = (file: number, number: number, pageBytes: number, pages = 1): Page => ({
  number,
  bytes: read(file, number * pageBytes, pages * pageBytes),
})

/** @throws PageError where its header is that of another page, of another kind, or of a later transaction */
export function checkHeader({ number, bytes }: Page, kind: keyof typeof PAGE_FLAGS, newest: number): void {
  const found = u64(bytes, 0)
  if (found !== number) throw new PageError(`page ${number} says that it is page ${found}`)
  // LMDB would take it for one of its own transaction, which it has in memory.
  const transaction = u64(bytes, 8)
  if (transaction > newest)
    throw new PageError(`page ${number} is of transaction ${transaction}; expected at most ${newest}`)
  const flags = bytes.readUInt16LE(18)
  if (flags !== PAGE_FLAGS[kind]) throw new PageError(`page ${number} is of kind ${flags}; expected ${kind}`)
}

/** Pages of a record that is too large for a leaf. */
export const overflowPagesOf = ({ bytes }: Page): number => bytes.readUInt32LE(20)

interface NodePlace {
  readonly at: number
  /** To be told the length of the node, once it is known. @throws PageError where it is too long */
  readonly take: (length: number) => void
}

/** Those of a branch or leaf, each within the page and all of them filling it. */
function* nodesOf({ number, bytes }: Page): Generator<NodePlace> {
  const lower = bytes.readUInt16LE(20)
  const upper = bytes.readUInt16LE(22)
  const room = bytes.length - HEADER_BYTES
  if (lower % 2 !== 0 || lower > upper || upper > room)
    throw new PageError(`page ${number} has its free space from ${lower} to ${upper}`)
  let taken = 0
  for (let i = 0; i < lower / 2; i++) {
    const at = HEADER_BYTES + bytes.readUInt16LE(HEADER_BYTES + 2 * i)
    if (at < HEADER_BYTES + upper || at + NODE_BYTES > bytes.length)
      throw new PageError(`page ${number} has a node outside of itself`)
    yield {
      at,
      take: (length) => {
        if (at + length > bytes.length) throw new PageError(`page ${number} has a node that is too long`)
        taken += length + (length % 2)
      },
    }
  }
  if (taken !== room - upper)
    throw new PageError(`page ${number} has nodes of ${taken} bytes; expected ${room - upper}`)
}

/** @throws PageError */
export function branchNodes(page: Page): BranchNode[] {
  const { bytes } = page
  return Array.from(nodesOf(page), ({ at, take }) => {
    const keyLength = bytes.readUInt16LE(at + 6)
    take(NODE_BYTES + keyLength)
    const child = bytes.readUInt32LE(at) + bytes.readUInt16LE(at + 4) * 2 ** 32
    return { key: bytes.subarray(at + NODE_BYTES, at + NODE_BYTES + keyLength), child }
  })
}

/** @throws PageError */
export const leafNodes = (page: Page): LeafNode[] => Array.from(nodesOf(page), (node) => leafNode(page, node))

/**
 * What may be nodes of a leaf whose header cannot be trusted: wherever a pointer could be. Whether one is what it seems
 * to be, its record's checksum tells.
 */
export function likelyNodes(page: Page): LeafNode[] {
  const { bytes } = page
  const nodes: LeafNode[] = []
  for (let pointer = HEADER_BYTES; pointer + 2 <= bytes.length; pointer += 2) {
    const at = HEADER_BYTES + bytes.readUInt16LE(pointer)
    if (at <= pointer || at + NODE_BYTES > bytes.length) continue
    const take = (length: number) => {
      if (at + length > bytes.length) throw new PageError('too long')
    }
    try {
      nodes.push(leafNode(page, { at, take }))
    } catch (error) {
      if (!(error instanceof PageError)) throw error
    }
  }
  return nodes
}

function leafNode({ bytes, number }: Page, { at, take }: NodePlace): LeafNode {
  const length = bytes.readUInt32LE(at)
  const flags = bytes.readUInt16LE(at + 4)
  const keyLength = bytes.readUInt16LE(at + 6)
  const start = at + NODE_BYTES + keyLength
  const isOverflow = flags === NODE_FLAGS.overflow
  take(NODE_BYTES + keyLength + (isOverflow ? 24 : length))
  if (flags !== 0 && !isOverflow && flags !== NODE_FLAGS.tree)
    throw new PageError(`page ${number} has a node of kind ${flags}`)
  const key = bytes.subarray(at + NODE_BYTES, start)
  const value = isOverflow
    ? { page: u64(bytes, start), pages: u64(bytes, start + 16), length }
    : bytes.subarray(start, start + length)
  return { key, value, isTree: flags === NODE_FLAGS.tree }
}

function read(file: number, at: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length)
  const found = readSync(file, bytes, 0, length, at)
  if (found !== length)
    throw new PageError(`the file ends at ${fstatSync(file).size}; expected ${length} bytes at ${at}`)
  return bytes
}
