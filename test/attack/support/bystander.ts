import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from 'graphql-ws'
import { WebSocket } from 'ws'
import { type Data, report, startExternal } from '../../support/graphql.ts'

/** Between two reports. */
const PAUSE_MS = 25

/** How long ordinary things took, in ms. */
export interface Seen {
  /** From sending a report to its response. */
  readonly post: Times
  /** From sending a report to its event at a viewer. */
  readonly event: Times
}

interface Times {
  readonly count: number
  readonly p50: number
  readonly p99: number
  readonly max: number
}

/** Somebody who trains and watches while others attack: one report after the other, and a viewer who gets their events. */
export class Bystander {
  readonly #url: string
  readonly #taskId: string
  readonly #client
  readonly #sentAt = new Map<number, number>()
  #posts: number[] = []
  #events: number[] = []
  #step = 0
  #isLost = false

  private constructor(url: string, taskId: string) {
    this.#url = url
    this.#taskId = taskId
    this.#client = createClient({
      url: url.replace('http', 'ws'),
      webSocketImpl: WebSocket,
      retryAttempts: 0,
    })
  }

  static async on(url: string): Promise<Bystander> {
    const bystander = new Bystander(url, await startExternal(url))
    void bystander.#watch()
    return bystander
  }

  /** Reports and watches as long as something else is under way. */
  async during(work: () => Promise<unknown>): Promise<Seen> {
    this.#posts = []
    this.#events = []
    let isOver = false
    const done = work().finally(() => {
      isOver = true
    })
    do await this.#report()
    while (!isOver)
    await done
    // The last event may still be on its way.
    for (let i = 0; i < 400 && this.#sentAt.size > 0; i++) await sleep(PAUSE_MS)
    if (this.#isLost || this.#sentAt.size > 0) throw new Error(`the viewer lost ${this.#sentAt.size} events`)
    return { post: timesOf(this.#posts), event: timesOf(this.#events) }
  }

  /** As `during`, of nothing but time. */
  quietly(reports = 60): Promise<Seen> {
    return this.during(() => sleep(reports * PAUSE_MS))
  }

  async close(): Promise<void> {
    await this.#client.dispose()
  }

  async #report(): Promise<void> {
    const current = ++this.#step
    const startedAt = performance.now()
    this.#sentAt.set(current, startedAt)
    await report(this.#url, this.#taskId, { progress: { current, total: 1_000_000 } })
    this.#posts.push(performance.now() - startedAt)
    await sleep(PAUSE_MS)
  }

  async #watch(): Promise<void> {
    const query =
      'subscription ($id: ID!) { trainingProgress(taskId: $id, last: 100) { ... on ProgressUpdate { current } } }'
    try {
      for await (const { data } of this.#client.iterate<Data>({ query, variables: { id: this.#taskId } })) {
        const { current } = data.trainingProgress
        const sentAt = this.#sentAt.get(current)
        if (sentAt === undefined) continue
        this.#sentAt.delete(current)
        this.#events.push(performance.now() - sentAt)
      }
    } catch {
      this.#isLost = true
    }
  }
}

function timesOf(times: readonly number[]): Times {
  const sorted = [...times].sort((a, b) => a - b)
  const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) }
}
