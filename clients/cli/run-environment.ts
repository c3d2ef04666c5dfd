import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A run that the server has registered. */
export interface RegisteredRun {
  readonly id: string
  readonly channelPrefix: string
  /** For this task alone; null where the server runs without authentication. */
  readonly reportToken: string | null
}

export interface RunEnvironmentOptions {
  readonly url: string
  readonly params: Readonly<Record<string, unknown>>
  /** Null where the server is away: then a program with a reporter registers a run of its own. */
  readonly run: RegisteredRun | null
  /** Whether a Hugging Face Trainer is to report by itself. */
  readonly kubeflow: boolean
  readonly env: Readonly<Record<string, string | undefined>>
}

/** The Kubeflow Trainer's protocol wants a token, whatever it is, of a server without authentication, too. */
const NO_TOKEN = 'none'

/** What a program gets of its environment, as one that Epochcast launches, until it is removed. */
export class RunEnvironment {
  readonly variables: Readonly<Record<string, string | undefined>>
  readonly #folder: string | null = null

  constructor({ url, params, run, kubeflow, env }: RunEnvironmentOptions) {
    const variables: Record<string, string | undefined> = {
      // Into a pipe Python would print only now and then.
      PYTHONUNBUFFERED: '1',
      ...env,
      EPOCHCAST_URL: url,
      EPOCHCAST_PARAMS: JSON.stringify(params),
      // Of a run around this one.
      EPOCHCAST_TASK_ID: undefined,
      EPOCHCAST_CHANNEL_PREFIX: undefined,
      EPOCHCAST_ATTEMPT: undefined,
    }
    if (run) {
      const { id, channelPrefix, reportToken } = run
      variables.EPOCHCAST_TASK_ID = id
      variables.EPOCHCAST_CHANNEL_PREFIX = channelPrefix
      variables.EPOCHCAST_ATTEMPT = '1'
      if (reportToken !== null) variables.EPOCHCAST_TOKEN = reportToken
      if (kubeflow) {
        this.#folder = mkdtempSync(join(tmpdir(), 'epochcast-token-'))
        const file = join(this.#folder, 'token')
        writeFileSync(file, reportToken ?? NO_TOKEN, { mode: 0o600 })
        variables.KUBEFLOW_TRAINER_SERVER_URL = String(new URL(`/kubeflow/${channelPrefix}/${id}`, url))
        variables.KUBEFLOW_TRAINER_SERVER_TOKEN = file
      }
    }
    this.variables = variables
  }

  remove(): void {
    if (this.#folder !== null) rmSync(this.#folder, { recursive: true, force: true })
  }
}
