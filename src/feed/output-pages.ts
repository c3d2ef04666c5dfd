import type { OutputLog, OutputRead } from '../event-log/output-log.ts'
import type { Position } from '../task/position.ts'
import { channelOf, type TaskKey } from '../task/task.ts'

/** Lines in one read of an output, about. */
const PAGE_LINES = 256

/** Reads of outputs, one for all that ask for the same at the same time: those that watch a task stand at one place. */
export class OutputPages {
  readonly #log: OutputLog
  readonly #underWay = new Map<string, Promise<OutputRead>>()

  constructor(log: OutputLog) {
    this.#log = log
  }

  /** What was asked before may be older than what a reader was told of, so it waits for that and asks again. */
  async read(key: TaskKey, after: Position | null): Promise<OutputRead> {
    const name = `${channelOf(key)} ${after?.generation} ${after?.offset}`
    const before = this.#underWay.get(name)
    if (before) {
      const read = await before
      if (read.kind === 'lines' && read.lines.length > 0) return read
    }
    const underWay = this.#underWay.get(name)
    if (underWay && underWay !== before) return underWay
    const reading = this.#log.read(key, after, PAGE_LINES)
    this.#underWay.set(name, reading)
    const leave = () => {
      if (this.#underWay.get(name) === reading) this.#underWay.delete(name)
    }
    reading.then(leave, leave)
    return reading
  }
}
