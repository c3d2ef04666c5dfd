import { EpochcastError, quote } from './errors.ts'
import { happenedAt, type TaskEvent } from './event.ts'
import { LIMITS } from './limits.ts'
import { refuseTooManyMachines } from './machines.ts'
import { refuseTooManyMembers } from './members.ts'
import { boundMaps, leftOut, namesBeyondBound, withoutMetrics } from './metric-bound.ts'
import { digestOf, isRepeat, lastOf } from './producers.ts'
import { apply, draftOf } from './reducer.ts'
import { eventOf, type Report } from './report.ts'
import { channelOf, hasEnded, isFinalStatus, type TaskState } from './task.ts'

export interface ReportBatch {
  readonly reports: readonly Report[]
  /** The rank, client or node that the reports come from; null for the task's own. */
  readonly member: string | null
  readonly producer: string | null
  /** Position of reports[0] in the producer's own count 1, 2, 3 …; given exactly where `producer` is. */
  readonly firstSequence: number | null
  /** The attempt the trainer was launched as; null means the present one. */
  readonly attempt: number | null
}

export interface ReportPlan {
  readonly events: readonly TaskEvent[]
  readonly state: TaskState
  readonly accepted: number
  readonly duplicates: number
  /** What was left out or cut, and why. */
  readonly warnings: readonly string[]
}

const NO_WARNINGS: readonly string[] = []

/**
 * What a batch of reports means for a task: the events to append and the state after them. Repeats
 * of an earlier call are dropped first, so that a repeated final report is a repeat and not a
 * report after the end. Metrics beyond the bound of names, in one report or in the task, are left out. Throws where any report of the batch is
 * refused; then none of it counts.
 *
 * @throws EpochcastError STALE_ATTEMPT, TASK_ENDED, SEQUENCE_GAP, SEQUENCE_CONFLICT, TOO_MANY_PRODUCERS,
 *   TOO_MANY_MEMBERS, TOO_MANY_SERIES, BAD_INPUT
 */
export function planReports(before: TaskState, batch: ReportBatch, now: number): ReportPlan {
  const { reports, warnings } = boundMaps(batch.reports, before, batch.member)
  const plan = planOf(before, batch, reports, now)
  if (plan.events.length === 0) return plan
  const beyond = namesBeyondBound(before, plan.state)
  if (!beyond) return warnings.length === 0 ? plan : { ...plan, warnings }
  // Hardly ever, so all is planned again, without them.
  const fewer = reports.map((report) => withoutMetrics(report, beyond))
  return { ...planOf(before, batch, fewer, now), warnings: [...warnings, leftOut(beyond)] }
}

/** @param reports those of the batch, as they are to be taken; a repeat is recognised by what was sent */
function planOf(before: TaskState, batch: ReportBatch, reports: readonly Report[], now: number): ReportPlan {
  const duplicates = countDuplicates(before, batch)
  const accepted = batch.reports.length - duplicates
  if (accepted === 0) return { events: [], state: before, accepted, duplicates, warnings: NO_WARNINGS }

  const events: TaskEvent[] = []
  const state = draftOf(before)
  const { member } = batch
  const add = (event: Reported) => {
    events.push(event)
    apply(state, event)
    // A member's is its own.
    if (member === null && event.progress !== undefined) event.progress = state.progress
  }
  const times = happenedAt(now)

  refuseEnded(state)
  // What is sampled of a machine is no word of the trainer.
  const isHeard = reports.some(({ system }, i) => i >= duplicates && system == null)
  if (!isHeard && isFinalStatus(state.status)) refuseFinal(state)
  const relaunch = isHeard && batch.attempt !== null && batch.attempt > state.attempt
  if (relaunch || (isHeard && state.status !== 'RUNNING')) {
    add({
      type: 'StatusChanged',
      status: 'RUNNING',
      message: BACK_FROM[before.status] ?? null,
      attempt: relaunch && batch.attempt !== null ? batch.attempt : state.attempt,
      stopRequested: state.stopRequested,
      ...times,
    })
  }
  for (let i = duplicates; i < batch.reports.length; i++) {
    refuseEnded(state)
    const event: Reported = eventOf(reports[i] as Report, { state, now: times, index: i, member })
    if (i >= batch.reports.length - 2 && batch.producer !== null && batch.firstSequence !== null) {
      event.producer = batch.producer
      event.sequence = batch.firstSequence + i
      const isLast = i === batch.reports.length - 1
      event.digest = digestOf(batch.reports, isLast ? i : duplicates, i + 1, member)
    }
    add(event)
    // At once: what a thousand reports would add is a hundred times what there may be.
    refuseTooManyMembers(before, state)
    refuseTooManyMachines(before, state)
  }
  return { events, state, accepted, duplicates, warnings: NO_WARNINGS }
}

const BACK_FROM: { readonly [Status in TaskState['status']]?: string } = {
  STALLED: 'the trainer reports again',
  FAILURE: 'the trainer reports again; the task had been given up, and goes on',
}

function countDuplicates(
  state: TaskState,
  { producer, firstSequence, attempt, reports, member }: ReportBatch,
): number {
  if ((producer === null) !== (firstSequence === null)) {
    throw new EpochcastError(
      'BAD_INPUT',
      `${producer === null ? 'firstSequence' : 'producer'} was given alone; expected producer and firstSequence together`,
    )
  }
  if (attempt !== null && attempt < state.attempt) {
    throw new EpochcastError(
      'STALE_ATTEMPT',
      `${name(state)} is at attempt ${state.attempt}; report of attempt ${attempt} rejected`,
      { details: { attempt: state.attempt } },
    )
  }
  // Who reports nothing only asks whether to stop.
  if (producer === null || firstSequence === null || reports.length === 0) return 0

  const sameAttempt = attempt === null || attempt === state.attempt
  const isKnown = sameAttempt && Object.hasOwn(state.producers, producer)
  const heard = isKnown ? (state.producers[producer] ?? 0) : 0
  const last = lastOf(heard)
  if (firstSequence > last + 1) {
    throw new EpochcastError(
      'SEQUENCE_GAP',
      `firstSequence of producer ${quote(producer)} is ${firstSequence}; expected at most ${last + 1}, or reports would be missing`,
      { details: { expected: last + 1 } },
    )
  }
  if (!isKnown && sameAttempt && Object.keys(state.producers).length >= LIMITS.producersPerAttempt) {
    throw new EpochcastError(
      'TOO_MANY_PRODUCERS',
      `${name(state)} already has ${LIMITS.producersPerAttempt} producers; ${quote(producer)} rejected`,
    )
  }
  if (firstSequence <= last && !isRepeat(heard, firstSequence, reports, member)) {
    refuseEnded(state)
    throw new EpochcastError(
      'SEQUENCE_CONFLICT',
      `producer ${quote(producer)} has already made other reports from ${firstSequence} on, so its name is in use, by another process or one before this; expected a name of its own for each process, with a random part, such as "host-1234-9f3c2a"`,
      { details: { expected: last + 1 } },
    )
  }
  return Math.min(reports.length, last - firstSequence + 1)
}

function refuseEnded(state: TaskState): void {
  if (hasEnded(state)) refuseFinal(state)
}

function refuseFinal(state: TaskState): never {
  throw new EpochcastError('TASK_ENDED', `${name(state)} ended with ${state.status}; report rejected`, {
    details: { status: state.status },
  })
}

const name = (state: TaskState): string => `task ${quote(channelOf(state.spec))}`

/** An event that has yet to be told whose report it was, and how far the task is after it. */
type Reported = TaskEvent & {
  producer?: string
  sequence?: number
  digest?: number
  progress?: number | null
}
