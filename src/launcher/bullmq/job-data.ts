import { z } from 'zod'
import { keptResult } from '../../task/foreign-result.ts'
import type { ProcessEnd } from '../../task/lifecycle.ts'
import { LIMITS } from '../../task/limits.ts'
import { channelOf, type Json } from '../../task/task.ts'
import type { Job } from '../launcher.ts'

/** What others may put into the queue: which trainer, and with what. */
const plainShape = z.object({
  /** Name in the configuration of the worker. */
  trainer: z.string().min(1).max(LIMITS.trainerNameLength),
  params: z.record(z.string(), z.unknown()).default({}),
  channelPrefix: z.string().max(LIMITS.channelPrefixLength).optional(),
  name: z.string().max(LIMITS.taskNameLength).optional(),
})

/** What servers put into it beside that: the task that there is already. */
const taskShape = z.object({
  task: z.object({ channelPrefix: z.string(), id: z.string() }),
  reportToken: z.string().nullable(),
  reportUrl: z.string(),
  attempts: z.int().min(1),
  /** Milliseconds since 1970; null for never. */
  expiresAt: z.number().nullable(),
})

const jobShape = plainShape.extend({ epochcast: taskShape.optional() })

export type QueuedTask = z.output<typeof taskShape>
export interface JobData {
  readonly trainer: string
  readonly params: Readonly<Record<string, Json>>
  readonly channelPrefix?: string | undefined
  readonly name?: string | undefined
  /** Absent in jobs that others put into the queue. */
  readonly epochcast?: QueuedTask | undefined
}

/** @returns what is wrong with it, where it is no job of ours */
export function jobDataIn(value: unknown): JobData | { readonly problem: string } {
  const { data, error } = jobShape.safeParse(value)
  if (data) return data as JobData
  const [issue] = error.issues
  return { problem: `data.${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'it cannot be read'}` }
}

/**
 * One for each start: finished jobs stay in the queue for days, and a job with an id that there is already is not added. Ids in BullMQ
 * have no colon.
 */
export const jobIdOf = ({ key, startId }: Pick<Job, 'key' | 'startId'>): string =>
  `${channelOf(key)}/${startId}`.replaceAll(':', '/')

/** Set while a job that a worker has is to stop. */
export const stopKeyOf = (prefix: string, queue: string, jobId: string): string =>
  `${prefix}:${queue}:epochcast-stop:${jobId}`

/** What a finished job returns. */
export interface JobReturn {
  readonly end: ProcessEnd
}

const endShape = z.object({
  end: z.object({
    message: z.string(),
    type: z.string().max(LIMITS.errorTypeLength),
    isSuccess: z.boolean().optional(),
  }),
})

/** How a job ended that its worker took for done; others' workers return what they like. */
export function endInReturn(value: unknown): ProcessEnd {
  const { data } = endShape.safeParse(value)
  if (data) {
    const { isSuccess, ...end } = data.end
    return isSuccess === undefined ? end : { ...end, isSuccess }
  }
  return {
    message: 'the job was completed',
    type: 'Returned',
    isSuccess: true,
    result: keptResult(value) ?? null,
  }
}

/** An end as the reason of a job that failed, which people read in BullMQ's tools as well. */
export const reasonOf = ({ type, message }: ProcessEnd): string => `${type}: ${message}`

export function endInReason(reason: string | undefined): ProcessEnd {
  const [, type, message] = /^([A-Za-z]{1,64}): ([\s\S]+)$/.exec(reason ?? '') ?? []
  if (type !== undefined && message !== undefined) return { type, message }
  return { type: 'JobFailed', message: reason || 'the job failed' }
}
