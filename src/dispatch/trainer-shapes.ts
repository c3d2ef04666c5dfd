import { z } from 'zod'
import type { LauncherName } from '../launcher/launcher.ts'
import { quote } from '../task/errors.ts'
import { LIMITS } from '../task/limits.ts'
import { ENV_PATTERN, isEnvPattern } from '../trainer-env.ts'

/*
 * The trainers' configuration as it may be written. `trainers/trainers.schema.json` is made of it, for editors.
 */

const trainerName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/)
  .max(LIMITS.trainerNameLength)

/** What every trainer may have, whatever launches it. */
const description = {
  description: z.string().max(LIMITS.messageLength).optional().describe('What it is, for people.'),
  channelPrefix: z
    .string()
    .optional()
    .describe("Prefix of its tasks where a start gives none; the server's default without."),
  params: z
    .record(z.string(), z.unknown())
    .optional()
    .describe(
      'JSON Schema (draft-07) of the parameters, machine_id and epochs among them; defaults are filled in.',
    ),
}

/** BullMQ puts it into names of keys. */
const QUEUE_NAME = /^[A-Za-z0-9_.-]{1,128}$/
const EXPECTED_QUEUE = 'expected 1 to 128 letters, digits and . _ -'

const EXPECTED_COMMAND = 'it has no command; expected a list of program and arguments'

/** What is run as a process, here or by a worker. */
const runnable = {
  command: z
    .tuple([z.string(EXPECTED_COMMAND).min(1, EXPECTED_COMMAND)], z.string().min(1), EXPECTED_COMMAND)
    .describe('Program and arguments, run without a shell.'),
  cwd: z.string().default('.').describe("Folder to run in, from the configuration's folder."),
  env: z.record(z.string(), z.string()).default({}).describe('Variables of its environment.'),
  passEnv: z
    .array(z.string().refine(isEnvPattern, `expected ${ENV_PATTERN}`))
    .default([])
    .describe("Variables of the server's environment that it gets beside those that all trainers get."),
  end: z
    .enum(['report', 'exit'])
    .optional()
    .describe('What ends its tasks well: a report of success, or that it exits with code 0.'),
  kubeflow: z
    .boolean()
    .default(false)
    .describe(
      "Whether it reports by the Kubeflow Trainer's protocol; it then reports no end, and ends by its exit.",
    ),
  systemMetrics: z
    .boolean()
    .default(true)
    .describe('Whether its machine is looked at (EPOCHCAST_SYSTEM_METRICS_SECONDS).'),
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
  queue: z
    .string()
    .regex(QUEUE_NAME, EXPECTED_QUEUE)
    .default('training')
    .describe('Whose workers run it: epochcast worker --queue.'),
  priority: z
    .int()
    .min(0)
    .max(2_097_151)
    .default(0)
    .describe('Lower goes first; 0, those without one, before all others.'),
  delay: z.number().min(0).max(31_536_000).default(0).describe('Seconds before any worker takes it.'),
  attempts: z
    .int()
    .min(1)
    .max(100)
    .default(3)
    .describe('Launches at most: another follows an exit code, a signal, a lost worker.'),
  backoff: z
    .strictObject({
      type: z.enum(['fixed', 'exponential']).default('exponential'),
      delay: z.number().min(0).max(86_400).default(5),
    })
    .default({ type: 'exponential', delay: 5 })
    .describe(
      'Seconds between an attempt that failed and the next; each time twice as many where it is exponential.',
    ),
  ttl: z
    .number()
    .min(1)
    .max(31_536_000)
    .optional()
    .describe('Seconds after which no worker takes it any more.'),
})

const externalShape = z.strictObject({ ...description, launcher: z.literal('external') })

const celeryShape = z.strictObject({
  ...description,
  launcher: z.literal('celery'),
  task: z
    .string('it has no task; expected the name of a Celery task')
    .min(1)
    .max(LIMITS.celeryNameLength)
    .describe('Name of the task in Celery, such as tasks.gan_tasks.train_tvae_task.'),
  args: z
    .array(z.string().min(1))
    .max(LIMITS.celeryArguments)
    .default([])
    .describe(
      'What it is called with: names of parameters, or machineId, taskId, channelPrefix, attempt, params, reportToken.',
    ),
  kwargs: z.record(z.string().min(1), z.string().min(1)).default({}).describe('The same by name.'),
  queue: z
    .string()
    .min(1)
    .max(LIMITS.celeryNameLength)
    .default('celery')
    .describe('In which a worker looks for it.'),
  priority: z
    .int()
    .min(0)
    .max(9)
    .default(0)
    .describe('With Redis as its broker, Celery takes lower ones first.'),
  expires: z
    .int()
    .min(1)
    .max(31_536_000)
    .optional()
    .describe('Seconds after which no worker takes it any more.'),
  signal: z
    .enum(['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGUSR1', 'SIGKILL'])
    .default('SIGTERM')
    .describe('What ends the process of a task that is cancelled while it runs.'),
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
  default: z.string().optional().describe('The trainer for a startTraining that names none.'),
  trainers: z.record(trainerName, trainerShape),
})

export type RunnableShape = z.output<typeof localShape> | z.output<typeof bullmqShape>
