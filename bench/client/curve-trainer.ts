import type { PostClient } from './http.ts'

/** The step at which all metrics go astray, once. */
export const SPIKE = { step: 3, value: 1_000_000 } as const
/** What these metrics have at that step instead. */
export const NOT_FINITE: Readonly<Record<string, string>> = { metric_01: 'NaN', metric_02: 'Infinity' }
/** Far above what any run reports. */
const TOTAL = 10_000_000
/** Reports that differ; then they come again, so that the load generator has little to do for each. */
const VARIANTS = 1000
const PRODUCER = 'bench'

const REPORT = /* GraphQL */ `
  mutation Report($input: ReportMetricsInput!) {
    reportMetrics(input: $input) { accepted }
  }
`

export const metricName = (i: number) => `metric_${String(i).padStart(2, '0')}`

/** A trainer with many metrics and one step a report: 1, 2, 3 … */
export class CurveTrainer {
  readonly #api: PostClient
  readonly #start: string
  /** What comes after the step. */
  readonly #ends: readonly string[]
  readonly #spike: string
  #steps = 0

  constructor(api: PostClient, taskId: string, metrics: number) {
    this.#api = api
    const input = `{"taskId":${JSON.stringify(taskId)},"producer":"${PRODUCER}","firstSequence":`
    this.#start = `{"operationName":"Report","query":${JSON.stringify(REPORT)},"variables":{"input":${input}`
    this.#ends = Array.from({ length: VARIANTS }, (_, variant) =>
      end(metrics, (i) => String(usualValue(variant, i))),
    )
    this.#spike = end(metrics, (i) => {
      const text = NOT_FINITE[metricName(i)]
      return text ? JSON.stringify(text) : String(SPIKE.value)
    })
  }

  /** The newest step that was reported. */
  get steps() {
    return this.#steps
  }

  async report(count: number) {
    const first = this.#steps + 1
    this.#steps += count
    let body = `${this.#start}${first},"reports":[`
    for (let step = first; step <= this.#steps; step++) {
      const rest = step === SPIKE.step ? this.#spike : this.#ends[step % VARIANTS]
      body += `${step > first ? ',' : ''}{"progress":{"current":${step}${rest}`
    }
    const answer = await this.#api.post(`${body}]}}}`)
    const { data, errors } = JSON.parse(answer)
    if (errors || data.reportMetrics.accepted !== count) {
      throw new Error(`${count} reports were answered with ${answer.slice(0, 400)}`)
    }
  }

  /** Reports up to this step. */
  async reach(step: number, reportsPerCall: number) {
    while (this.#steps < step) await this.report(Math.min(reportsPerCall, step - this.#steps))
  }
}

function end(metrics: number, textOf: (i: number) => string) {
  const values = Array.from({ length: metrics }, (_, i) => `"${metricName(i)}":${textOf(i)}`)
  return `,"total":${TOTAL},"metrics":{${values}}}}`
}

/** Between 0 and 3, with six digits and some noise, as a loss may be. */
function usualValue(variant: number, i: number) {
  const noise = ((variant * 7919 + i * 104_729) % 100_003) / 100_003
  return Math.round((2 / (1 + variant / 250) + noise) * 1e6) / 1e6
}
