import { type DraftPace, msLeft, type ProgressUnit, trackPace } from './pace.ts'
import type { TaskState } from './task.ts'

/*
 * How far a task is. Its trainer may count steps (`current` of `total` in progress reports), epochs and rounds, each of
 * them beside the others. `progress` is that of the finest that has a total: steps, else epochs, else rounds. All of
 * them are those of the present attempt.
 */

/** What this file writes of a state. */
type Counts = Pick<
  { -readonly [Name in keyof TaskState]: TaskState[Name] },
  | 'current'
  | 'total'
  | 'countsProgress'
  | 'progress'
  | 'epoch'
  | 'startedEpoch'
  | 'doneEpochs'
  | 'firstEpoch'
  | 'countsFractions'
  | 'totalEpochs'
  | 'round'
  | 'totalRounds'
  | 'step'
> & { pace?: DraftPace | null }

/** An attempt begins with nothing done; what the one before it did is no progress of its own. */
export function beginAttempt(draft: Counts): void {
  draft.current = null
  draft.total = null
  draft.countsProgress = false
  draft.progress = null
  draft.epoch = null
  draft.startedEpoch = null
  draft.doneEpochs = null
  draft.round = null
  draft.step = null
  draft.pace = null
}

/** Tells `progress`, after any of the counts has changed. `at` is the time by the server's clock. */
export function tellProgress(draft: Counts, at: number): void {
  const unit = unitOf(draft)
  if (unit === null) {
    draft.progress = null
    return
  }
  const done = doneOf(draft, unit)
  draft.progress = percentage(done, totalOf(draft, unit))
  trackPace(draft, unit, done, at)
}

/** The unit that drives `progress`; null where none has a total. */
function unitOf(state: Readonly<Counts> | TaskState): ProgressUnit | null {
  const { countsProgress, current, total, doneEpochs, totalEpochs, round, totalRounds } = state
  if (countsProgress !== false && current !== null && isTotal(total)) return 'step'
  if (doneEpochs != null && isTotal(totalEpochs)) return 'epoch'
  return round !== null && isTotal(totalRounds) ? 'round' : null
}

const isTotal = (total: number | null): boolean => total !== null && total > 0

function doneOf({ current, doneEpochs, round }: Counts, unit: ProgressUnit): number {
  const done = unit === 'step' ? current : unit === 'epoch' ? doneEpochs : round
  return done ?? 0
}

function totalOf(state: Readonly<Counts> | TaskState, unit: ProgressUnit): number {
  const { total, totalEpochs, totalRounds } = state
  return (unit === 'step' ? total : unit === 'epoch' ? totalEpochs : totalRounds) ?? 0
}

/**
 * Seconds until the task is done, as of `updatedAt`, if it goes on at its pace; null where that cannot be told: while it
 * does not run, has no total, or has made no progress since the first report of its attempt.
 */
export function etaSeconds(state: TaskState): number | null {
  const { status, pace, updatedAt } = state
  if (status !== 'RUNNING' || pace == null || unitOf(state) !== pace.unit) return null
  const left = msLeft(pace, totalOf(state, pace.unit), updatedAt)
  return left === null ? null : left / 1000
}

export function percentage(done: number, total: number | null): number | null {
  return total === null || total <= 0 ? null : Math.min(100, Math.max(0, (100 * done) / total))
}

/*
 * An epoch that has begun is not done. Trainers count epochs from one or from zero: from zero where an epoch 0 was
 * reported, and a trainer that is launched again goes on in its way. What was done stays done: a validation may be told
 * after the next epoch has begun.
 */

export function beginEpoch(draft: Counts, epoch: number): void {
  noteNumber(draft, epoch)
  const begun = epoch - firstEpochOf(draft)
  const done = draft.doneEpochs ?? 0
  // Further back than the epoch that was just done, which may have several parts: the trainer has gone back.
  draft.doneEpochs = begun + 1 < done ? begun : Math.max(begun, done)
  draft.epoch = epoch
  draft.startedEpoch = epoch
}

export function endEpoch(draft: Counts, epoch: number): void {
  noteNumber(draft, epoch)
  const done = draft.doneEpochs ?? 0
  // Beside fractions, 1 is the end of the first epoch, as 0.75 was within it, unless more than that is done already.
  const isMeasure = !Number.isInteger(epoch) || (draft.countsFractions && epoch >= done)
  const ended = isMeasure ? epoch : epoch + 1 - (draft.countsFractions ? 0 : firstEpochOf(draft))
  draft.doneEpochs = Math.max(done, ended)
  draft.epoch = epoch
}

/** The epoch of a progress report: 2.5 is two and a half done; 3 is the third that has begun, unless fractions led to it. */
export function reachEpoch(draft: Counts, epoch: number): void {
  noteNumber(draft, epoch)
  const done = draft.countsFractions ? epoch : epoch - firstEpochOf(draft)
  draft.doneEpochs = Math.max(draft.doneEpochs ?? 0, done)
  draft.epoch = epoch
}

function noteNumber(draft: Counts, epoch: number): void {
  if (epoch === 0) draft.firstEpoch = 0
  else if (!Number.isInteger(epoch)) draft.countsFractions = true
}

export const firstEpochOf = ({ firstEpoch, epoch }: Pick<TaskState, 'firstEpoch' | 'epoch'>): 0 | 1 =>
  firstEpoch ?? (epoch === 0 ? 0 : 1)
