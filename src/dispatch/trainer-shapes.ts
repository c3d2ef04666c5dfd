import { z } from 'zod'
import type { LauncherName } from '../launcher/launcher.ts'
import { quote } from '../task/errors.ts'
import { LIMITS } from '../task/limits.ts'
import { ENV_PATTERN, isEnvPattern } from '../trainer-env.ts'

/*
 * The trainers' configuration as it may be written. Of its members the comments are what an editor shows.
 */

const trainerName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/)
  .max(LIMITS.trainerNameLength)

/** What every trainer may have, whatever launches it. */
const description = {
  description: z.string().max(LIMITS.messageLength).optional(),
  channelPrefix: z.string().optional(),
  /** JSON Schema (draft-07) of the parameters, `machine_id` and `epochs` among them; defaults are filled in. */
  params: z.record(z.string(), z.unknown()).optional(),
}

/** BullMQ puts it into names of keys. */
const QUEUE_NAME = /^[A-Za-z0-9_.-]{1,128}$/
const EXPECTED_QUEUE = 'expected 1 to 128 letters, digits and . _ -'

const EXPECTED_COMMAND = 'it has no command; expected a list of program and arguments'

/** What is run as a process, here or by a worker. */
const runnable = {
  /** Program and arguments, run without a shell. */
  command: z.tuple(
    [z.string(EXPECTED_COMMAND).min(1, EXPECTED_COMMAND)],
    z.string().min(1),
    EXPECTED_COMMAND,
  ),
  /** Folder to run in, from the configuration's folder. */
  cwd: z.string().default('.'),
  env: z.record(z.string(), z.string()).default({}),
  /** Variables of the server's environment that it gets beside those that all trainers get. */
  passEnv: z.array(z.string().refine(isEnvPattern, `expected ${ENV_PATTERN}`)).default([]),
  /** What ends its tasks well: a report of success, or that it exits with code 0. */
  end: z.enum(['report', 'exit']).optional(),
  /** Whether it reports by the Kubeflow Trainer's protocol; it then reports no end, and ends by its exit. */
  kubeflow: z.boolean().default(false),
  /** Whether its machine is looked at (`EPOCHCAST_SYSTEM_METRICS_SECONDS`). */
  systemMetrics: z.boolean().default(true),
}

const localShape = z.strictObject({
  ...description,
  launcher: z.literal('local').default('local'),
  ...runnable,
})

const bullmqShape = z.strictObject({
  ...description,
  launcher: z.literal('bullmq'),
  ...runnable,
  /** Whose workers run it: `epochcast worker --queue`. */
  queue: z.string().regex(QUEUE_NAME, EXPECTED_QUEUE).default('training'),
  /** Lower goes first; 0, those without one, before all others. */
  priority: z.int().min(0).max(2_097_151).default(0),
  /** Seconds before any worker takes it. */
  delay: z.number().min(0).max(31_536_000).default(0),
  /** Launches at most: another follows an exit code, a signal, a lost worker. */
  attempts: z.int().min(1).max(100).default(3),
  /** Seconds between an attempt that failed and the next; each time twice as many where it is exponential. */
  backoff: z
    .strictObject({
      type: z.enum(['fixed', 'exponential']).default('exponential'),
      delay: z.number().min(0).max(86_400).default(5),
    })
    .default({ type: 'exponential', delay: 5 }),
  /** Seconds after which no worker takes it any more. */
  ttl: z.number().min(1).max(31_536_000).optional(),
})

const externalShape = z.strictObject({ ...description, launcher: z.literal('external') })

const celeryShape = z.strictObject({
  ...description,
  launcher: z.literal('celery'),
  /** Name of the task in Celery, such as `tasks.gan_tasks.train_tvae_task`. */
  task: z.string('it has no task; expected the name of a Celery task').min(1).max(LIMITS.celeryNameLength),
  /** What it is called with: names of parameters, or machineId, taskId, channelPrefix, attempt, params, reportToken. */
  args: z.array(z.string().min(1)).max(LIMITS.celeryArguments).default([]),
  /** The same by name. */
  kwargs: z.record(z.string().min(1), z.string().min(1)).default({}),
  queue: z.string().min(1).max(LIMITS.celeryNameLength).default('celery'),
  /** With Redis as its broker, Celery takes lower ones first. */
  priority: z.int().min(0).max(9).default(0),
  /** Seconds after which no worker takes it any more. */
  expires: z.int().min(1).max(31_536_000).optional(),
  /** What ends the process of a task that is cancelled while it runs. */
  signal: z.enum(['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGUSR1', 'SIGKILL']).default('SIGTERM'),
})

/** Each launcher's configuration is its own. */
const LAUNCHERS = {
  local: localShape,
  external: externalShape,
  celery: celeryShape,
  bullmq: bullmqShape,
} satisfies Record<LauncherName, z.ZodObject>

export const trainerShape = z.discriminatedUnion(
  'launcher',
  [localShape, externalShape, celeryShape, bullmqShape],
  {
    error: ({ code, input }) =>
      code === 'invalid_union'
        ? `launcher is ${quote((input as { launcher: unknown }).launcher)}; expected one of ${Object.keys(LAUNCHERS).map(quote).join(', ')}`
        : undefined,
  },
)
export type TrainerShape = z.output<typeof trainerShape>

export const fileShape = z.strictObject({
  $schema: z.string().optional(),
  /** The trainer for a startTraining that names none. */
  default: z.string().optional(),
  trainers: z.record(trainerName, trainerShape),
})

export type RunnableShape = z.output<typeof localShape> | z.output<typeof bullmqShape>
