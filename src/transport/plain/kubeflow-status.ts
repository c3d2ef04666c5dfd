import type { IncomingMessage, ServerResponse } from 'node:http'
import { z } from 'zod'
import type { Caller } from '../../repository/access.ts'
import { EpochcastError } from '../../task/errors.ts'
import { parseText } from '../../task/json.ts'
import { LIMITS } from '../../task/limits.ts'
import type { Callers } from '../callers.ts'
import { type Clients, holderOf } from '../clients.ts'
import { notJson } from '../not-json.ts'
import type { Operations } from '../operations.ts'
import { refuse, respondJson } from '../refusals.ts'
import { readBody } from '../request-body.ts'
import { statusOf } from '../streams/stream-requests.ts'
import { metricOf } from './metric-text.ts'
import { refuseMethod, serveOrRefuse } from './serve-or-refuse.ts'
import { type NamedTask, taskIn } from './task-path.ts'

export interface KubeflowStatusOptions {
  readonly operations: Operations
  readonly clients: Clients
  readonly callers: Callers
  readonly maxBodyBytes: number
  /** The total of steps that a task is known to have; null where it has none. */
  readonly totalOf: (caller: Caller, task: NamedTask) => Promise<number | null>
}

const metricsShape = z.array(z.object({ name: z.string(), value: z.string() }))

/**
 * What the Kubeflow Trainer's runtimes post of a training (KEP-2779,
 * https://github.com/kubeflow/trainer/tree/master/docs/proposals/2779-trainjob-progress), those of Hugging Face Transformers among
 * them. Values of metrics are texts there.
 */
const shape = z.object({
  trainerStatus: z.object({
    progressPercentage: z.number().int().min(0).max(100).nullish(),
    estimatedRemainingSeconds: z.number().nullish(),
    // Counted before any is looked at: what is wrong with half a million of them would be described for each.
    metrics: z.array(z.unknown()).max(LIMITS.metricsLookedAt).pipe(metricsShape).nullish(),
    lastUpdatedTime: z.string().nullish(),
  }),
})
type TrainerStatus = z.output<typeof shape>['trainerStatus']

const REPORT = /* GraphQL */ `
  mutation ($input: ReportMetricsInput!) { reportMetrics(input: $input) { accepted } }`

/** `POST /kubeflow/{prefix}/{taskId}`: a status of the Kubeflow Trainer's protocol becomes a report of progress. */
export class KubeflowStatus {
  readonly #options: KubeflowStatusOptions

  constructor(options: KubeflowStatusOptions) {
    this.#options = options
  }

  serve(request: IncomingMessage, response: ServerResponse): void {
    if (request.method !== 'POST') return void refuseMethod(request, response, ['POST'])
    void serveOrRefuse(request, response, this.#options.operations, () => this.#serve(request, response))
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { operations, clients, callers, maxBodyBytes, totalOf } = this.#options
    const caller = callers.of(request)
    const bounds = { maxBytes: maxBodyBytes, received: clients.received, holder: holderOf(caller) }
    const body = await readBody(request, response, bounds)
    if (!Buffer.isBuffer(body)) return refuse(request, response, body.status, body.error, body.headers)
    await clients.turns.turn(bounds.holder)
    const task = taskIn(new URL(request.url ?? '', 'http://localhost').pathname)
    const status = statusIn(body.toString())
    // The last status has no steps, but is to be one of the same curve.
    const total = stepsIn(status) ?? (await totalOf(caller, task))
    const input = reportOf(task, status, total)
    const { errors } = await operations.execute(operations.prepareOwn(REPORT, { input }, caller))
    const [error] = errors ?? []
    if (error) refuse(request, response, statusOf(error), error)
    else respondJson(response, 200, {})
  }
}

/** @throws EpochcastError BAD_REQUEST, BAD_INPUT */
function statusIn(text: string): TrainerStatus {
  let body: unknown
  try {
    body = parseText(text)
  } catch (error) {
    throw notJson(text, error)
  }
  const { data, error } = shape.safeParse(body)
  if (data) return data.trainerStatus
  const [{ path = [], message = '' } = {}] = error.issues
  throw new EpochcastError('BAD_INPUT', `${path.join('.')}: ${message}`)
}

/** Names by which Transformers tells where it stands, beside the percentage. */
const PLACES = ['current_step', 'total_steps', 'current_epoch'] as const

const stepsIn = ({ metrics }: TrainerStatus): number | null =>
  countOf(metricOf(metrics?.find(({ name }) => name === 'total_steps')?.value ?? ''))

/** @param total of the steps; null where only a percentage is known */
function reportOf({ id, channelPrefix }: NamedTask, status: TrainerStatus, total: number | null) {
  const values = new Map(status.metrics?.map(({ name, value }) => [name, metricOf(value)]))
  const [step = null, , epoch] = PLACES.map((name) => countOf(values.get(name)))
  for (const name of PLACES) values.delete(name)
  const metrics = Object.fromEntries([...values].filter(([, value]) => value !== null))
  const part = (status.progressPercentage ?? 0) / 100
  const of = total ?? 100
  return {
    taskId: id,
    channelPrefix,
    reports: [
      {
        progress: {
          ...{ current: Math.floor(step ?? part * of), total: Math.floor(of), epoch },
          metrics,
          ...(status.lastUpdatedTime ? { timestamp: status.lastUpdatedTime } : {}),
        },
      },
    ],
  }
}

const countOf = (value: number | string | null | undefined): number | null =>
  typeof value === 'number' && value >= 0 ? value : null
