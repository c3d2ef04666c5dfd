import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { Ajv, type ValidateFunction } from 'ajv'
import type { z } from 'zod'
import { ConfigError } from '../config.ts'
import { paramsAskedFor } from '../launcher/celery/arguments.ts'
import type { Trainer } from '../launcher/launcher.ts'
import { EpochcastError, quote } from '../task/errors.ts'
import type { Json } from '../task/task.ts'
import { fileShape, type RunnableShape, type TrainerShape } from './trainer-shapes.ts'

/** Name of the trainer that every server has: it registers a run that trains elsewhere. */
export const EXTERNAL = 'external'

export type ConfiguredTrainer = Trainer & {
  /** JSON Schema (draft-07) of its parameters; null where it takes any. */
  readonly paramsSchema: Readonly<Record<string, Json>> | null
  /** Fills in defaults and checks; throws EpochcastError BAD_PARAMS. */
  completeParams(params: Readonly<Record<string, Json>>): Readonly<Record<string, Json>>
}

/** The trainers that this server can start. */
export class Trainers {
  readonly #trainers: ReadonlyMap<string, ConfiguredTrainer>
  readonly #default: string

  private constructor(trainers: ReadonlyMap<string, ConfiguredTrainer>, defaultName: string) {
    this.#trainers = trainers
    this.#default = defaultName
  }

  /** @throws ConfigError where the file is missing, malformed or contradicts the allowed prefixes */
  static load(file: string | null, channelPrefixes: readonly string[]): Trainers {
    const folder = file === null ? process.cwd() : dirname(resolve(file))
    const found = file === null ? { trainers: {} } : parse(file)
    const trainers = new Map<string, ConfiguredTrainer>()
    for (const [name, shape] of Object.entries(found.trainers)) {
      trainers.set(name, trainerOf(name, shape, folder, channelPrefixes, file ?? ''))
    }
    if (!trainers.has(EXTERNAL)) {
      const description = 'Registers a run that trains elsewhere and only reports.'
      trainers.set(
        EXTERNAL,
        trainerOf(EXTERNAL, { launcher: 'external', description }, folder, channelPrefixes, ''),
      )
    }
    const defaultName = found.default ?? EXTERNAL
    if (!trainers.has(defaultName)) {
      throw new ConfigError(`${file}: default is ${quote(defaultName)}; expected one of ${names(trainers)}`)
    }
    return new Trainers(trainers, defaultName)
  }

  all(): ConfiguredTrainer[] {
    return [...this.#trainers.values()]
  }

  find(name: string): ConfiguredTrainer | undefined {
    return this.#trainers.get(name)
  }

  /**
   * @param name null for the configuration's default, which is `external` where none is named
   * @throws EpochcastError TRAINER_NOT_FOUND
   */
  get(name: string | null): ConfiguredTrainer {
    const trainer = this.#trainers.get(name ?? this.#default)
    if (trainer) return trainer
    throw new EpochcastError(
      'TRAINER_NOT_FOUND',
      `trainer is ${quote(name)}; expected one of ${names(this.#trainers)}`,
    )
  }
}

const quoted = (names: Iterable<string>): string => [...names].map(quote).join(', ')
const names = (trainers: ReadonlyMap<string, unknown>): string => quoted(trainers.keys())

function parse(file: string): z.output<typeof fileShape> {
  let content: unknown
  try {
    content = JSON.parse(readFileSync(file, 'utf8'))
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new ConfigError(`the trainers' configuration ${file} cannot be read: ${why}`, { cause })
  }
  const result = fileShape.safeParse(content)
  if (result.success) return result.data
  throw new ConfigError(result.error.issues.map((issue) => `${file}: ${problemOf(issue)}`))
}

function problemOf({ path: [section, name, ...within], message }: z.core.$ZodIssue): string {
  const about = section === 'trainers' && name !== undefined ? [`trainer ${quote(name)}`] : []
  const where = about.length > 0 ? within : [section, name, ...within].filter((key) => key !== undefined)
  return [...about, message].join(': ') + (where.length > 0 ? ` (at ${where.map(String).join('.')})` : '')
}

function trainerOf(
  name: string,
  { params, ...shape }: TrainerShape,
  folder: string,
  channelPrefixes: readonly string[],
  file: string,
): ConfiguredTrainer {
  const { description = null, channelPrefix = null } = shape
  if (channelPrefix !== null && !channelPrefixes.includes(channelPrefix)) {
    throw new ConfigError(
      `${file}: trainer ${quote(name)} has channelPrefix ${quote(channelPrefix)}; expected one of EPOCHCAST_CHANNEL_PREFIXES: ${channelPrefixes.join(', ')}`,
    )
  }
  const validate = params === undefined ? null : compile(name, params, file)
  const common = {
    name,
    description,
    channelPrefix,
    // It was read from JSON.
    paramsSchema: (params ?? null) as Readonly<Record<string, Json>> | null,
    completeParams: (given: Readonly<Record<string, Json>>) =>
      validate ? complete(name, validate, given) : given,
  }
  switch (shape.launcher) {
    case 'local': {
      return { launcher: shape.launcher, ...runnableOf(shape, folder), ...common }
    }
    case 'bullmq': {
      const { delay, backoff, ttl, systemMetrics: _, ...queued } = shape
      return {
        ...queued,
        ...runnableOf(shape, folder),
        ...common,
        delayMs: Math.round(delay * 1000),
        backoff: { type: backoff.type, delayMs: Math.round(backoff.delay * 1000) },
        ttlMs: ttl === undefined ? null : Math.round(ttl * 1000),
      }
    }
    case 'celery': {
      const asked = paramsAskedFor(shape)
      const completeParams = (given: Readonly<Record<string, Json>>) =>
        withAll(name, asked, common.completeParams(given))
      return { ...shape, ...common, expires: shape.expires ?? null, completeParams }
    }
    case 'external':
      return { ...shape, ...common }
  }
}

function runnableOf(shape: RunnableShape, folder: string) {
  const { command, cwd, env, passEnv, end, kubeflow, systemMetrics } = shape
  const endsByExit = (end ?? (kubeflow ? 'exit' : 'report')) === 'exit'
  const what = { endsByExit, speaksKubeflow: kubeflow, hasSystemMetrics: systemMetrics }
  return { command, cwd: resolve(folder, cwd), env, passEnv, ...what }
}

/** @throws EpochcastError BAD_PARAMS where one that its arguments ask for is missing */
function withAll(
  name: string,
  asked: readonly string[],
  params: Readonly<Record<string, Json>>,
): Readonly<Record<string, Json>> {
  const missing = asked.find((param) => !Object.hasOwn(params, param))
  if (missing === undefined) return params
  throw new EpochcastError(
    'BAD_PARAMS',
    `trainer ${quote(name)}: params has no ${quote(missing)}; expected it, as the trainer's arguments ask for it`,
  )
}

function compile(name: string, schema: Record<string, unknown>, file: string): ValidateFunction {
  try {
    return new Ajv({ useDefaults: true, allErrors: true, verbose: true, strict: true }).compile(schema)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new ConfigError(`${file}: params of trainer ${quote(name)} is not a usable JSON Schema: ${why}`, {
      cause,
    })
  }
}

function complete(
  name: string,
  validate: ValidateFunction,
  params: Readonly<Record<string, Json>>,
): Readonly<Record<string, Json>> {
  const completed = structuredClone(params) as Record<string, Json>
  if (validate(completed)) return completed
  const problems = (validate.errors ?? [])
    .slice(0, 5)
    .map(({ instancePath, message, data, params: about }) => {
      const where = instancePath === '' ? 'params' : `params${instancePath.replaceAll('/', '.')}`
      if ('additionalProperty' in about)
        return `${where} has ${quote(about.additionalProperty)}, which it does not know`
      return `${where} is ${quote(data)}; expected that it ${message}`
    })
  throw new EpochcastError('BAD_PARAMS', `trainer ${quote(name)}: ${problems.join('; ')}`)
}
