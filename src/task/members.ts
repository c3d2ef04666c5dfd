import { EpochcastError, quote } from './errors.ts'
import type { TaskEvent } from './event.ts'
import { LIMITS } from './limits.ts'
import { channelOf, type Metrics, type TaskState } from './task.ts'

/*
 * Which members a task has, and which metrics they report, to bound how many series there are. What each of them reports
 * is not kept: their series are counted as if every member reported every metric.
 */

type Roster = Pick<TaskState, 'members' | 'memberMetrics'>
type DraftRoster = { -readonly [K in keyof Roster]: Roster[K] }

/** Counted by name and phase; a loss alone is in the metrics, too. */
export function noteMember(draft: DraftRoster, event: TaskEvent): void {
  if (!('member' in event) || event.member == null) return
  draft.members = withName(draft.members, event.member)
  switch (event.type) {
    case 'ProgressUpdate':
      noteMetrics(draft, event.metrics, PREFIX.TRAIN)
      break
    case 'EpochEnded':
      noteMetrics(draft, event.metrics, PREFIX[event.phase])
      break
    case 'RoundEnded':
      noteMetrics(draft, event.fitMetrics, PREFIX.TRAIN)
      noteMetrics(draft, event.evalMetrics, PREFIX.EVAL)
      break
  }
}

const PREFIX = { TRAIN: '', VAL: 'VAL ', TEST: 'TEST ', EVAL: 'eval ' } as const

/** Under which name a metric of a phase, or of a round's evaluation, is counted. */
export const memberMetricName = (name: string, phase: keyof typeof PREFIX): string => PREFIX[phase] + name

/**
 * Told by the lists alone, which grow rarely.
 *
 * @throws EpochcastError TOO_MANY_MEMBERS, TOO_MANY_SERIES
 */
export function refuseTooManyMembers(before: Roster, after: Roster & Pick<TaskState, 'spec'>): void {
  const { members = NONE, memberMetrics = NONE } = after
  if (members === (before.members ?? NONE) && memberMetrics === (before.memberMetrics ?? NONE)) return
  const task = `task ${quote(channelOf(after.spec))}`
  const member = members.at(-1)
  if (members.length > LIMITS.membersPerTask) {
    throw new EpochcastError(
      'TOO_MANY_MEMBERS',
      `${task} already has ${LIMITS.membersPerTask} members; ${quote(member)} rejected`,
      { details: { member } },
    )
  }
  if (members.length * memberMetrics.length <= LIMITS.seriesPerTask) return
  const metric = memberMetrics.at(-1)
  const isMetric = memberMetrics.length > (before.memberMetrics?.length ?? 0)
  throw new EpochcastError(
    'TOO_MANY_SERIES',
    `${task} would have ${members.length} members and ${memberMetrics.length} metrics of theirs, the last of them ${isMetric ? `metric ${quote(metric)}` : `member ${quote(member)}`}; expected at most ${LIMITS.seriesPerTask} series, members times metrics`,
    { details: isMetric ? { metric } : { member } },
  )
}

const NONE: readonly string[] = []

function noteMetrics(draft: DraftRoster, metrics: Metrics, prefix: string): void {
  const names = draft.memberMetrics ?? NONE
  const known = knownIn(names)
  const added: string[] = []
  for (const metric in metrics) {
    const name = prefix + metric
    if (!known.has(name)) added.push(name)
  }
  if (added.length > 0) draft.memberMetrics = withNames(names, added)
}

/** Lists are replaced, never changed; what is in one is found out once. */
const sets = new WeakMap<readonly string[], Set<string>>()

function knownIn(names: readonly string[]): Set<string> {
  let known = sets.get(names)
  if (!known) {
    known = new Set(names)
    sets.set(names, known)
  }
  return known
}

/** The next list takes over what is known of the one before: to find it out again for each would be quadratic. */
function withNames(names: readonly string[], added: readonly string[]): readonly string[] {
  const known = knownIn(names)
  sets.delete(names)
  for (const name of added) known.add(name)
  const all = names.concat(added)
  sets.set(all, known)
  return all
}

function withName(names: readonly string[] = NONE, name: string): readonly string[] {
  if (names[names.length - 1] === name || knownIn(names).has(name)) return names
  return withNames(names, [name])
}
