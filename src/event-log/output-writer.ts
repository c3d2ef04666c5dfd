import { LRUCache } from 'lru-cache'
import { EpochcastError, quote } from '../task/errors.ts'
import { NO_OUTPUT, type OutputPlan, type OutputState, outputText } from '../task/output.ts'
import type { Position } from '../task/position.ts'
import { channelOf, type TaskKey } from '../task/task.ts'
import { noTask } from './find-task.ts'
import { newGeneration } from './log-extent.ts'
import type { OutputLog } from './output-log.ts'

/** Tries before it gives up: writers of other servers were faster each time. */
const MAX_TRIES = 20
/** Outputs whose end is remembered, to notice where an engine has lost some of them. */
const MAX_KNOWN = 10_000

export interface OutputAppended {
  /** Where the output ends; null where there still is none. */
  readonly top: Position | null
  readonly duplicates: number
}

/**
 * Writes to outputs as `TaskWriter` does to logs: what is to be appended is decided for what is there, and decided again
 * where another writer was faster. Writers of one process take turns.
 */
export class OutputWriter {
  readonly #output: OutputLog
  readonly #last = new Map<string, Promise<unknown>>()
  readonly #tops = new LRUCache<string, Position>({ max: MAX_KNOWN })

  constructor(output: OutputLog) {
    this.#output = output
  }

  /**
   * @param plan decides for what is known of producers; may be called several times
   * @throws EpochcastError TASK_NOT_FOUND, CONTENDED, STORE_FULL, ENGINE_UNAVAILABLE, and what `plan` throws
   */
  append(key: TaskKey, plan: (before: OutputState) => OutputPlan): Promise<OutputAppended> {
    const channel = channelOf(key)
    const act = () => this.#append(key, channel, plan)
    const before = this.#last.get(channel)
    const done = before ? before.then(act, act) : act()
    this.#last.set(channel, done)
    const leave = () => {
      if (this.#last.get(channel) === done) this.#last.delete(channel)
    }
    done.then(leave, leave)
    return done
  }

  async #append(
    key: TaskKey,
    channel: string,
    plan: (before: OutputState) => OutputPlan,
  ): Promise<OutputAppended> {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const stored = await this.#output.find(key)
      const expected = stored && { generation: stored.extent.generation, offset: stored.extent.top }
      const { lines, state, duplicates } = plan(stored?.state ?? NO_OUTPUT)
      if (lines.length === 0) return { top: expected, duplicates }
      const result = await this.#output.append(key, {
        expected,
        generation: expected && !this.#hasLost(channel, expected) ? expected.generation : newGeneration(),
        state,
        texts: lines.map(outputText),
      })
      if (result.kind === 'missing') throw noTask(key.id, key.channelPrefix)
      if (result.kind === 'conflict') continue
      this.#tops.set(channel, result.top)
      return { top: result.top, duplicates }
    }
    throw new EpochcastError(
      'CONTENDED',
      `the output of task ${quote(channel)} was changed by others ${MAX_TRIES} times in a row; try again`,
    )
  }

  /** Readers may have seen lines that are no longer there, and others would come to stand in their place. */
  #hasLost(channel: string, { generation, offset }: Position): boolean {
    const known = this.#tops.get(channel)
    return known?.generation === generation && known.offset > offset
  }
}
