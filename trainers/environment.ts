import { z } from 'zod'

export interface ReportingTarget {
  /** The GraphQL endpoint, e.g. http://127.0.0.1:4000/graphql. */
  url: string
  taskId: string
  channelPrefix: string | undefined
  token: string | undefined
  attempt: number | undefined
}

/** Everything a launcher tells its trainer; this file is the only reader of process.env in the trainers. */
export interface TrainerEnvironment {
  /** Absent where EPOCHCAST_URL is not set: the trainer was started by hand. */
  target: ReportingTarget | undefined
  /** Names the run's files: the task id, or `local`. */
  runName: string
  /** EPOCHCAST_PARAMS, not yet checked against the trainer's own parameters. */
  params: unknown
  /** EPOCHCAST_MODELS_DIR, default `./models`. */
  modelsDirectory: string
}

const text = z
  .string()
  .optional()
  .transform((value) => (value === '' ? undefined : value))

const environmentSchema = z.object({
  EPOCHCAST_URL: text.pipe(z.url({ protocol: /^https?$/ }).optional()),
  EPOCHCAST_TASK_ID: text,
  EPOCHCAST_CHANNEL_PREFIX: text,
  EPOCHCAST_TOKEN: text,
  EPOCHCAST_ATTEMPT: text
    .transform((value) => (value === undefined ? undefined : Number(value)))
    .pipe(z.int().min(1).optional()),
  EPOCHCAST_PARAMS: text.transform((value) => JSON.parse(value ?? '{}') as unknown),
  EPOCHCAST_MODELS_DIR: text,
})

export function readEnvironment(env: NodeJS.ProcessEnv): TrainerEnvironment {
  const checked = environmentSchema.parse(env)
  const taskId = checked.EPOCHCAST_TASK_ID
  if (checked.EPOCHCAST_URL && !taskId) throw new Error('EPOCHCAST_URL is set, EPOCHCAST_TASK_ID is not')
  return {
    target:
      checked.EPOCHCAST_URL && taskId
        ? {
            url: checked.EPOCHCAST_URL,
            taskId,
            channelPrefix: checked.EPOCHCAST_CHANNEL_PREFIX,
            token: checked.EPOCHCAST_TOKEN,
            attempt: checked.EPOCHCAST_ATTEMPT,
          }
        : undefined,
    runName: taskId ?? 'local',
    params: checked.EPOCHCAST_PARAMS,
    modelsDirectory: checked.EPOCHCAST_MODELS_DIR ?? 'models',
  }
}

/** Checks a trainer's parameters; the error's message says which one is wrong, for the viewer of the failed task. */
export function parseParams<Schema extends z.ZodType>(schema: Schema, params: unknown): z.infer<Schema> {
  const parsed = schema.safeParse(params)
  if (parsed.success) return parsed.data
  throw Object.assign(new Error(z.prettifyError(parsed.error)), { name: 'BadParams' })
}
