import { createHash } from 'node:crypto'

const FINAL = new Set(['TrainingSucceeded', 'TrainingFailed', 'TrainingCancelled'])

export interface LogEvent {
  readonly __typename: string
  readonly cursor: string
  readonly timestamp: string
  readonly current?: number
  readonly status?: string
}

/**
 * What somebody has seen of a log so far, event by event. It keeps no event, only where it stands and a digest
 * of all of them: two that stand at the same place with the same digest have seen the same.
 */
export class Sequence {
  offset = 0
  /** Of the newest ProgressUpdate; reports count 1, 2, 3 … */
  current = 0
  /** The final event's type, once it is there. */
  final: string | null = null
  generation: string | null = null
  readonly #hash = createHash('sha256')

  /** @returns what is wrong with it here; null for nothing */
  take(event: LogEvent): string | null {
    const { __typename, cursor, timestamp, current, status } = event
    const [, generation = '', offsetText = ''] = cursor.split('.')
    const offset = Number.parseInt(offsetText, 36)
    const where = `${__typename} at offset ${offset}${current === undefined ? '' : `, current ${current}`}`
    const before = `offset ${this.offset}, current ${this.current}`
    if (this.final !== null) return `${where} after the final ${this.final}`
    this.generation ??= generation
    if (generation !== this.generation) {
      return `${where} of another generation, ${generation}; expected ${this.generation}, after ${before}`
    }
    if (offset !== this.offset + 1) {
      const what = offset > this.offset ? `lost ${offset - this.offset - 1}` : 'twice or out of order'
      return `${what}: ${where}; expected offset ${this.offset + 1}, after ${before}`
    }
    this.offset = offset
    if (current !== undefined) {
      if (current !== this.current + 1)
        return `${where}; expected current ${this.current + 1}, after ${before}`
      this.current = current
    }
    if (FINAL.has(__typename)) this.final = __typename
    this.#hash.update(`${cursor} ${__typename} ${timestamp} ${current ?? ''} ${status ?? ''}\n`)
    return null
  }

  /** Of everything that was taken; nothing can be taken any more. */
  digest() {
    return this.#hash.digest('hex')
  }
}
