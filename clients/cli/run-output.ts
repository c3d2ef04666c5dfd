import { OutputCapture } from '../output/output-capture.ts'
import type { NoteOfSkipped, PrintedBatch } from '../output/printed-line.ts'
import {
  createClient,
  type EpochcastClient,
  EpochcastClientError,
  ReportOutputDocument,
  StartTrainingDocument,
  type StartTrainingInput,
} from '../typescript/index.ts'
import { wordsOf } from '../typescript/reporter/notices.ts'
import type { RegisteredRun } from './run-environment.ts'

export interface RunOutputOptions {
  readonly url: string
  readonly token: string | undefined
  /** Null where the server was away: it is registered with `input` then, as it is by whatever else reports of it. */
  readonly run: RegisteredRun | null
  readonly input: Omit<StartTrainingInput, 'trainer'>
  readonly tell: (text: string) => void
}

/** As the server has them (`LIMITS` in `src/task/limits.ts`). */
const LINE_BYTES = 16_384
const LINES_PER_CALL = 1000
/** What a server takes of one task by default. */
const LINES_PER_SECOND = 1000
/** Lines that wait while the server is away, of 256 characters on the average: as many as it keeps by default. */
const MAX_WAITING = 10_000
const MAX_RETRY_MS = 15_000
const CALL_MS = 10_000
/** Longest wait for the server, once the program has ended. */
const CLOSE_MS = 10_000

/** A batch of which the server takes nothing, while it may take what comes later. */
const OF_A_BATCH: ReadonlySet<string> = new Set(['STORE_FULL', 'BODY_TOO_LARGE', 'BAD_INPUT', 'BAD_REQUEST'])

/**
 * Sends what a program prints to its task's output. The program waits for none of it: what is more than the server takes, or
 * than may wait while it is away, is left out, the oldest first, with a note in its place.
 */
export class RunOutput {
  readonly #options: RunOutputOptions
  readonly #capture: OutputCapture
  readonly #takers: Readonly<Record<'stdout' | 'stderr', (chunk: Buffer) => void>>
  #run: RegisteredRun | null
  #client: EpochcastClient | null = null
  #hasTold = false

  constructor(options: RunOutputOptions) {
    this.#options = options
    this.#run = options.run
    this.#capture = new OutputCapture((batch) => this.#send(batch), {
      attempt: 1,
      secrets: [options.run?.reportToken ?? null, options.token ?? null],
      bounds: { lineBytes: LINE_BYTES, linesPerBatch: LINES_PER_CALL },
      linesPerSecond: LINES_PER_SECOND,
      ...{ maxWaiting: MAX_WAITING, maxRetryMs: MAX_RETRY_MS, closeMs: CLOSE_MS },
      noteOf,
      fateOf: (error) => this.#fateOf(error),
      onError: (error) => this.#tell(error),
    })
    this.#takers = { stdout: this.#capture.open('STDOUT'), stderr: this.#capture.open('STDERR') }
  }

  take(stream: 'stdout' | 'stderr', chunk: Buffer): void {
    this.#takers[stream](chunk)
  }

  /** Sends what is left, for a bounded time or until that is enough; the program has ended. */
  async close(enough?: AbortSignal): Promise<void> {
    await this.#capture.close(enough)
    const { unsentCount } = this.#capture
    if (unsentCount > 0 && !this.#hasTold)
      this.#options.tell(
        `epochcast: ${unsentCount} line${unsentCount === 1 ? '' : 's'} of output could not be sent`,
      )
    // A call that is still on its way fails now, and that is not news.
    this.#hasTold = true
    await this.#client?.dispose()
  }

  async #send({ lines, ...batch }: PrintedBatch): Promise<void> {
    const run = this.#run ?? (await this.#register())
    this.#run = run
    this.#client ??= this.#connect(run.reportToken ?? this.#options.token)
    const { id: taskId, channelPrefix } = run
    const input = { ...batch, taskId, channelPrefix, lines: lines.map((line) => ({ ...line })) }
    await this.#client.execute(ReportOutputDocument, { input }, { attempts: 1 })
  }

  /** The same idempotencyKey is the same task, whoever asks first. */
  async #register(): Promise<RegisteredRun> {
    const client = this.#connect(this.#options.token)
    try {
      const input = { ...this.#options.input, trainer: 'external' }
      const { startTraining } = await client.execute(StartTrainingDocument, { input }, { attempts: 1 })
      const { id, channelPrefix } = startTraining.task
      return { id, channelPrefix, reportToken: startTraining.reportToken ?? null }
    } finally {
      await client.dispose()
    }
  }

  #connect(token: string | undefined): EpochcastClient {
    return createClient({ url: this.#options.url, token, requestTimeoutMs: CALL_MS })
  }

  #fateOf(error: unknown): 'again' | 'left out' | 'over' {
    if (error instanceof EpochcastClientError) {
      if (OF_A_BATCH.has(error.code)) return 'left out'
      if (error.retryable) return 'again'
    }
    this.#tell(error)
    return 'over'
  }

  /** Once: a program's terminal is its own. */
  #tell(error: unknown): void {
    if (!this.#hasTold) this.#options.tell(`epochcast: the output is no longer sent (${wordsOf(error)})`)
    this.#hasTold = true
  }
}

/** The server has the words for it. */
const noteOf: NoteOfSkipped = (skipped, timestamp, member) => ({
  ...{ timestamp, stream: null, text: '', member, isCut: false, skipped },
})
