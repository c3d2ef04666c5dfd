import type { Ledger } from './ledger.ts'
import type { MemoryLog } from './memory-log.ts'

interface Growth {
  readonly owner: string | null
  /** Null where the task is about to be created. */
  readonly log: MemoryLog | null
  /** Bytes by which the store will grow. */
  readonly growth: number
  /** Bytes by which what unfinished tasks hold will grow; null where none of them does. */
  readonly heldGrowth: number | null
}

/**
 * Makes room for what is to be stored, before it is: first its owner's running tasks give up old events, where they
 * hold more than they may; then finished tasks go (`Ledger.firstToDrop`). Running tasks of others give nothing.
 *
 * @throws EpochcastError STORE_FULL; then nothing has been given up
 */
export function makeRoom(
  ledger: Ledger<MemoryLog>,
  { owner, log, growth, heldGrowth }: Growth,
  drop: (log: MemoryLog) => void,
): void {
  const isEnd = heldGrowth === null
  const excess = isEnd ? ledger.shortage(growth, log) : ledger.excess(owner, heldGrowth)
  if (excess <= 0 && ledger.missing(growth) <= 0) return
  const some = excess > 0 ? trimmable(ledger, owner, log, isEnd) : []
  let spare = 0
  for (const one of some) spare += one.spareBytes
  const isTooMuch = spare < excess || ledger.shortage(growth - Math.max(0, excess), log) > 0
  if (isTooMuch) throw ledger.refusal(owner, growth)
  let left = excess
  for (const one of some) {
    if (left <= 0) break
    const freed = one.trim(left)
    ledger.grew(one, -freed)
    left -= freed
  }
  // What is spare was an estimate.
  if (left > 0) throw ledger.refusal(owner, growth)
  while (ledger.missing(growth) > 0) {
    const first = ledger.firstToDrop(log)
    if (!first) throw ledger.refusal(owner, growth)
    drop(first)
  }
}

/**
 * Makes room for a task's output: its own older lines go, then finished tasks. Neither events nor output of others do.
 *
 * @throws EpochcastError STORE_FULL
 */
export function makeRoomForOutput(
  ledger: Ledger<MemoryLog>,
  log: MemoryLog,
  growth: number,
  drop: (log: MemoryLog) => void,
): void {
  const isFinished = ledger.finished.has(log)
  const excess = () => (isFinished ? ledger.shortage(growth, log) : ledger.excess(log.owner, growth))
  if (excess() > 0) ledger.grew(log, -log.output.trim(excess()))
  if (excess() > 0) throw ledger.refusal(log.owner, growth)
  while (ledger.missing(growth) > 0) {
    const first = ledger.firstToDrop(log)
    if (!first) throw ledger.refusal(log.owner, growth)
    drop(first)
  }
}

/** Whose events may go, largest log first. */
function trimmable(
  ledger: Ledger<MemoryLog>,
  owner: string | null,
  log: MemoryLog | null,
  isEnd: boolean,
): MemoryLog[] {
  if (isEnd) return log && !ledger.finished.has(log) ? [log] : []
  const some = ledger.someOf(owner)
  if (log) some.add(log)
  return [...some].sort((a, b) => b.bytes - a.bytes)
}
