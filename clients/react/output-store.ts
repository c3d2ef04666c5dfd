import { taskNotFound } from '../typescript/error.ts'
import type { FollowRequest } from '../typescript/follow.ts'
import type { OutputLineEvent } from '../typescript/follow-output.ts'
import { TaskOutputDocument, TaskOutputPageDocument } from '../typescript/generated/graphql.ts'
import { read } from './read.ts'
import type { Source } from './source.ts'
import { type Status, Store } from './store.ts'

export interface OutputSnapshot extends Status {
  /** Oldest first, with notes (`skip`) in the place of lines that are missing; at most `maxLines`. */
  readonly lines: readonly OutputLineEvent[]
  /**
   * Number of the first of `lines`, counted from the first that came: a line keeps its number while older ones leave (then
   * it is above 0) or are read (below).
   */
  readonly firstNumber: number
  /** Whether there may be lines before these that can be read. */
  readonly hasEarlier: boolean
  readonly isReadingEarlier: boolean
  /** Why earlier lines could not be read; null where they could. */
  readonly earlierError: Error | null
}

export const NO_OUTPUT: OutputSnapshot = {
  lines: [],
  firstNumber: 0,
  hasEarlier: false,
  isReadingEarlier: false,
  earlierError: null,
  state: { kind: 'connecting' },
  error: null,
}

export interface OutputRequest extends FollowRequest {
  readonly last: number
}

export interface OutputBounds {
  readonly maxLines: number
  /** Characters of all lines together. */
  readonly maxLength?: number
}

/** Of lines as long as they may be, no more than this: 16 million characters. */
const MAX_LENGTH = 2 ** 24
/** Lines that are read at a time; the most that a server gives. */
const PAGE_LINES = 1000
/** The API's bound for `last`. */
const MAX_LAST = 100_000
/** Pages that may have to be read until the line is found that is there already: what is printed meanwhile moves them. */
const MAX_PAGES = 5

/** The newest lines of a task's output as they come, and those before them where they are asked for. */
export class OutputStore extends Store<OutputSnapshot> {
  readonly #request: OutputRequest
  readonly #maxLines: number
  readonly #maxLength: number
  #lines: OutputLineEvent[] = []
  #length = 0
  #firstNumber = 0
  #hasEarlier = false
  #stopReading: (() => void) | null = null
  #earlierError: Error | null = null

  constructor(source: Source, request: OutputRequest, { maxLines, maxLength = MAX_LENGTH }: OutputBounds) {
    super(source, NO_OUTPUT)
    this.#request = request
    this.#maxLines = maxLines
    this.#maxLength = maxLength
  }

  hasValue({ state }: OutputSnapshot): boolean {
    return state.kind !== 'connecting'
  }

  /** Reads a page of lines before the first; nothing where there are none, no room, or one is under way. */
  readonly readEarlier = (): void => {
    const [first] = this.#lines
    if (this.isIdle || this.#stopReading || !this.#canHaveEarlier() || !first) return
    this.#earlierError = null
    this.#stopReading = () => {}
    this.#readPage({ last: Math.min(this.#lines.length + PAGE_LINES, MAX_LAST) }, first.cursor, [])
    this.changed()
  }

  protected open(): () => void {
    this.#lines = []
    this.#length = 0
    this.#firstNumber = 0
    this.#hasEarlier = false
    this.#earlierError = null
    const { taskId, channelPrefix = null, after = null, last } = this.#request
    const variables = { taskId, channelPrefix, after, last }
    const leave = this.source.subscribe(TaskOutputDocument, variables, {
      next: ({ taskOutput: line }) => {
        this.#lines.push(line)
        this.#length += line.text.length
        // As many as were asked for: there may be more before them.
        if (this.#lines.length === last) this.#hasEarlier = true
        this.#makeRoom()
        this.changed()
      },
      state: (state) => this.enter(state),
    })
    return () => {
      leave()
      this.#stopReading?.()
      this.#stopReading = null
    }
  }

  protected look(status: Status): OutputSnapshot {
    const surplus = Math.max(0, this.#lines.length - this.#maxLines)
    return {
      lines: this.#lines.slice(surplus),
      firstNumber: this.#firstNumber + surplus,
      hasEarlier: this.#canHaveEarlier(),
      isReadingEarlier: this.#stopReading !== null,
      earlierError: this.#earlierError,
      ...status,
    }
  }

  #canHaveEarlier(): boolean {
    return this.#hasEarlier && this.#lines.length < this.#maxLines && this.#length < this.#maxLength
  }

  /** Cut seldom, so that a line costs the same however many are kept. */
  #makeRoom(): void {
    const { length: count } = this.#lines
    if (count < 2 * this.#maxLines && this.#length <= this.#maxLength) return
    const wanted = this.#length > this.#maxLength ? this.#maxLength / 2 : this.#length
    let dropped = 0
    while (dropped < count - 1 && (count - dropped > this.#maxLines || this.#length > wanted))
      this.#length -= this.#lines[dropped++]?.text.length ?? 0
    this.#lines = this.#lines.slice(dropped)
    this.#firstNumber += dropped
    this.#hasEarlier ||= dropped > 0
  }

  /**
   * @param cursor of the first line that is there: the page that has it is the last
   * @param found by the pages before
   */
  #readPage(
    request: { readonly last?: number; readonly after?: string },
    cursor: string,
    found: readonly OutputLineEvent[],
    pages = 1,
  ): void {
    const { taskId: id, channelPrefix = null } = this.#request
    const { last = null, after = null } = request
    const variables = { id, channelPrefix, first: PAGE_LINES, last, after }
    const stop = read(this.source, TaskOutputPageDocument, variables, {
      next: ({ task }) => {
        if (!task) throw taskNotFound(id)
        const { edges, pageInfo } = task.output
        const lines = edges.flatMap((edge) => (edge ? [edge.node] : []))
        const at = lines.findIndex((line) => line.cursor === cursor)
        const all = [...found, ...(at < 0 ? lines : lines.slice(0, at))]
        if (pages === 1 && at >= 0) this.#hasEarlier = at > 0 && pageInfo.hasPreviousPage
        if (at >= 0 || !pageInfo.hasNextPage || pageInfo.endCursor == null || pages >= MAX_PAGES)
          return this.#prepend(at >= 0 ? all : [], cursor)
        this.#readPage({ after: pageInfo.endCursor }, cursor, all, pages + 1)
      },
      error: (error) => {
        this.#earlierError = error as Error
        this.#stopReading = null
        this.changed()
      },
    })
    if (this.#stopReading) this.#stopReading = stop
  }

  #prepend(lines: readonly OutputLineEvent[], cursor: string): void {
    this.#stopReading = null
    // Where the first line has left meanwhile, these are not those before it.
    if (this.#lines[0]?.cursor === cursor) {
      const taken = lines.slice(-Math.max(1, this.#maxLines - this.#lines.length))
      this.#lines = [...taken, ...this.#lines]
      this.#length += taken.reduce((sum, { text }) => sum + text.length, 0)
      this.#firstNumber -= taken.length
    }
    this.changed()
  }
}
