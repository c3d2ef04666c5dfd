import { setImmediate as eventLoopTurn } from 'node:timers/promises'

/** Fields in a turn of the event loop: a millisecond or two of graphql-js. */
const FIELDS_PER_TURN = 2000
/** Items of a list that are completed together, and at once where there are no more. */
const ITEMS_TOGETHER = 50
/** What a field costs that is written, of what it costs where graphql-js completes it; and how many characters cost as much as that. */
const [WRITTEN, CHARACTERS_OF_FIELD] = [1 / 8, 500]

/**
 * Spreads the work of completing many objects, one by one and field by field, over turns of the event loop: in each only
 * so much, of whichever queries, and in the order of asking. So a chart of many series, or a long page of events, does
 * not keep everything else waiting until all of it is ready.
 */
export class CompletionTurns {
  /** The newest turn, past or to come. */
  #last: Promise<void> = Promise.resolve()
  /** The same, until it has begun. */
  #next: Promise<void> | null = null
  /** Fields for which there is room in the next one. */
  #room = 0

  /** Waits for the turn of so many fields, which stay together. */
  take(fields: number): Promise<void> {
    if (this.#next === null || this.#room <= 0) this.#next = this.#addTurn()
    this.#room -= fields
    return this.#next
  }

  /** The items of a list, those of a long one as promises that are kept when it is their turn. */
  spread<Item>(items: readonly Item[], fieldsOfItem: number): (Item | Promise<Item>)[] {
    if (items.length <= ITEMS_TOGETHER) return [...items]
    let turn = Promise.resolve()
    return items.map((item, i) => {
      if (i % ITEMS_TOGETHER === 0) turn = this.take(ITEMS_TOGETHER * fieldsOfItem)
      return turn.then(() => item)
    })
  }

  /**
   * Writes the items of a list, those of a long one a part in each turn.
   *
   * @param write returns how many characters it wrote
   */
  async writeAll<Item>(
    items: readonly Item[],
    fieldsOfItem: number,
    write: (some: readonly Item[]) => number,
  ): Promise<void> {
    if (items.length <= ITEMS_TOGETHER) {
      write(items)
      return
    }
    let characters = 0
    for (let start = 0; start < items.length; start += ITEMS_TOGETHER) {
      // How long their text is shows only when it is written, so the next ones wait for it.
      await this.take(ITEMS_TOGETHER * fieldsOfItem * WRITTEN + characters / CHARACTERS_OF_FIELD)
      characters = write(items.slice(start, start + ITEMS_TOGETHER))
    }
  }

  #addTurn(): Promise<void> {
    const turn = this.#last
      .then(() => eventLoopTurn())
      .then(() => {
        if (this.#next === turn) this.#next = null
      })
    this.#last = turn
    this.#room = FIELDS_PER_TURN
    return turn
  }
}

/** Those of this process. */
export const completionTurns = new CompletionTurns()
