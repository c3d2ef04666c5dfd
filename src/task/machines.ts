import { EpochcastError, quote } from './errors.ts'
import type { TaskEvent } from './event.ts'
import { LIMITS } from './limits.ts'
import { channelOf, type Metrics, type TaskState } from './task.ts'

/*
 * The machines that a task's trainers run on. Their series are apart from those of its members, and bounded apart, so that
 * what is sampled beside a training never costs it a series of its own.
 */

const PREFIX = 'system/'

type DraftMachines = { machines?: TaskState['machines'] }

/** Lists are replaced, never changed. */
export function noteMachine(draft: DraftMachines, event: TaskEvent): void {
  if (event.type !== 'SystemSampled' || event.member === null) return
  const { names, metrics } = draft.machines ?? { names: [], metrics: [] }
  const added = Object.keys(event.metrics).filter((name) => !metrics.includes(name))
  const isKnown = names.includes(event.member)
  if (isKnown && added.length === 0) return
  draft.machines = {
    names: isKnown ? names : [...names, event.member],
    metrics: added.length === 0 ? metrics : [...metrics, ...added],
  }
}

/** @throws EpochcastError TOO_MANY_MEMBERS, TOO_MANY_SERIES */
export function refuseTooManyMachines(before: TaskState, { machines, spec }: TaskState): void {
  if (!machines || machines === before.machines) return
  const task = `task ${quote(channelOf(spec))}`
  if (machines.names.length > LIMITS.machinesPerTask) {
    throw new EpochcastError(
      'TOO_MANY_MEMBERS',
      `${task} already has ${LIMITS.machinesPerTask} machines; ${quote(machines.names.at(-1))} rejected`,
    )
  }
  if (machines.metrics.length <= LIMITS.systemMetricsPerTask) return
  throw new EpochcastError(
    'TOO_MANY_SERIES',
    `${task} already has ${LIMITS.systemMetricsPerTask} system metrics; ${quote(machines.metrics.at(-1))} rejected`,
  )
}

/** @throws EpochcastError BAD_INPUT */
export function machineOf(member: string | null, index: number): string {
  if (member !== null) return member
  throw new EpochcastError(
    'BAD_INPUT',
    `reports[${index}] is system, and there is no member; expected the name of the machine as member`,
  )
}

/** @throws EpochcastError BAD_METRICS */
export function systemMetrics(metrics: Metrics, index: number): Metrics {
  const names = Object.keys(metrics)
  const other = names.find((name) => !name.startsWith(PREFIX))
  if (other !== undefined) {
    throw new EpochcastError(
      'BAD_METRICS',
      `reports[${index}].system.metrics has ${quote(other)}; expected names that begin with ${quote(PREFIX)}`,
    )
  }
  if (names.length <= LIMITS.systemMetricsPerTask) return metrics
  throw new EpochcastError(
    'BAD_METRICS',
    `reports[${index}].system.metrics has ${names.length} names; expected at most ${LIMITS.systemMetricsPerTask}`,
  )
}
