import { type Database, open, type RootDatabase } from 'lmdb'
import type { TaskKey } from '../../task/task.ts'
import { storedChannelOf } from '../find-task.ts'

export type Table = Database<Buffer, Buffer>

/** What is on disk. Keys have parts of fixed length before those of any length, so that no two run into each other. */
export interface Tables {
  readonly root: RootDatabase<Buffer, Buffer>
  /** serial → head and state. */
  readonly tasks: Table
  /** serial, offset of the first event → consecutive events. */
  readonly events: Table
  /** serial → index of the curves. */
  readonly curves: Table
  /** serial, name → bytes. */
  readonly segments: Table
  /** serial → where the task's output stands. */
  readonly output: Table
  /** serial, offset of the first line → a chunk of consecutive lines. */
  readonly outputLines: Table
  /** `nameOf` a deleted task → its mark. */
  readonly tombstones: Table
  /** name → the store's own facts. */
  readonly meta: Table
}

export interface OpenTablesOptions {
  readonly path: string
  /** Whether a commit is over only when it is on disk; otherwise somebody has to see to it. */
  readonly fsync: boolean
  /** Address space, not memory: what the file may grow to without being mapped anew. */
  readonly mapBytes: number
  readonly readOnly?: boolean
}

export const TABLES = [
  ...(['tasks', 'events', 'curves', 'segments', 'tombstones', 'meta', 'output', 'outputLines'] as const),
]

export function openTables({ path, fsync, mapBytes, readOnly = false }: OpenTablesOptions): Tables {
  const binary = { encoding: 'binary', keyEncoding: 'binary' } as const
  const root = open<Buffer, Buffer>({
    ...binary,
    path,
    // The library takes a path with a dot in its name for a file.
    noSubdir: false,
    mapSize: mapBytes,
    maxDbs: TABLES.length,
    readOnly,
    // A transaction is visible only once it is on disk: what a viewer was shown is never lost.
    overlappingSync: false,
    noSync: !fsync && !readOnly,
    // The committer gathers by itself; and this way of the library leaves a rejection behind that nothing handles.
    eventTurnBatching: false,
  })
  const tables = TABLES.map((name) => [name, root.openDB({ ...binary, name })] as const)
  return { root, ...(Object.fromEntries(tables) as Record<(typeof TABLES)[number], Table>) }
}

/** Whether keys of a table begin with the serial of a task. */
export const isOfTask = (table: string): boolean => table !== 'tombstones' && table !== 'meta'

export const WORD_BYTES = 6
const MAX_WORD = 2 ** 48 - 1

export function serialKey(serial: number): Buffer {
  const key = Buffer.allocUnsafe(WORD_BYTES)
  key.writeUIntBE(serial, 0, WORD_BYTES)
  return key
}

export const serialOf = (key: Buffer): number => key.readUIntBE(0, WORD_BYTES)

export function eventsKey(serial: number, firstOffset: number): Buffer {
  const key = Buffer.allocUnsafe(2 * WORD_BYTES)
  key.writeUIntBE(serial, 0, WORD_BYTES)
  key.writeUIntBE(firstOffset, WORD_BYTES, WORD_BYTES)
  return key
}

export const firstOffsetOf = (key: Buffer): number => key.readUIntBE(WORD_BYTES, WORD_BYTES)

/** After all keys of a task. */
export const endOf = (serial: number): Buffer => eventsKey(serial, MAX_WORD)

export const segmentKey = (serial: number, name: string): Buffer =>
  Buffer.concat([serialKey(serial), Buffer.from(name)])

/**
 * A text of its own for each task.
 *
 * @throws EpochcastError BAD_INPUT for what is no key of a task
 */
export const nameOf = (key: TaskKey): string => storedChannelOf(key)

export const textKey = (text: string): Buffer => Buffer.from(text)
