import type { OutputState } from '../../task/output.ts'
import type { LogExtent } from '../log-extent.ts'
import { diskBytes, seal, unseal } from './records.ts'
import { serialKey, serialOf, type Table } from './tables.ts'

/** Where a task's output stands; in memory of every task that has some, and on disk in a record of its own. */
export interface OutputHead extends LogExtent {
  readonly state: OutputState
  /** About what the lines take on disk. */
  readonly lineBytes: number
  /** And what this record takes. */
  readonly headBytes: number
}

/** The heads on disk, by serial; one that is damaged is left out, and its task has no output. */
export function loadOutputs(table: Table, onDamaged: (serial: number) => void): Map<number, OutputHead> {
  const heads = new Map<number, OutputHead>()
  for (const { key, value } of table.getRange({})) {
    const body = unseal(key, value)
    if (body) heads.set(serialOf(key), headOf(body, value.byteLength))
    else onDamaged(serialOf(key))
  }
  return heads
}

const headOf = (body: Buffer, recordBytes: number): OutputHead => {
  const head = JSON.parse(body.toString()) as Omit<OutputHead, 'headBytes'>
  return { ...head, headBytes: diskBytes(recordBytes) }
}

export function sealedOutput(serial: number, head: Omit<OutputHead, 'headBytes'>): Buffer {
  const { generation, previous, top, oldest, state, lineBytes } = head
  return seal(serialKey(serial), JSON.stringify({ generation, previous, top, oldest, state, lineBytes }))
}
