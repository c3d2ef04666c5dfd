/** What is looked at when its time has come; an item is in one place only. */
export interface Due {
  /** In milliseconds since the epoch. */
  dueAt: number
  /** Its place among all, or -1. */
  place: number
}

/** Items by when they are due: a binary heap that knows where each is, so that one that is over leaves nothing behind. */
export class Deadlines<Item extends Due> {
  readonly #heap: Item[] = []

  get size(): number {
    return this.#heap.length
  }

  set(item: Item, dueAt: number): void {
    item.dueAt = dueAt
    if (item.place < 0) {
      item.place = this.#heap.length
      this.#heap.push(item)
    }
    this.#settle(item)
  }

  delete(item: Item): void {
    if (item.place < 0) return
    const last = this.#heap.pop() as Item
    if (last !== item) {
      this.#put(last, item.place)
      this.#settle(last)
    }
    item.place = -1
  }

  /** Of items that nobody sets or deletes again. */
  clear(): void {
    this.#heap.length = 0
  }

  /** Takes up to so many that are due, the earliest first. */
  take(now: number, limit: number): Item[] {
    const taken: Item[] = []
    for (;;) {
      const [first] = this.#heap
      if (!first || first.dueAt > now || taken.length === limit) return taken
      this.delete(first)
      taken.push(first)
    }
  }

  #put(item: Item, place: number): void {
    this.#heap[place] = item
    item.place = place
  }

  /** Up or down, to where it belongs. */
  #settle(item: Item): void {
    const heap = this.#heap
    for (;;) {
      const { place } = item
      const parent = heap[(place - 1) >> 1]
      if (place > 0 && parent && parent.dueAt > item.dueAt) {
        this.#put(item, parent.place)
        this.#put(parent, place)
        continue
      }
      const left = heap[2 * place + 1]
      const right = heap[2 * place + 2]
      const child = right && left && right.dueAt < left.dueAt ? right : left
      if (!child || child.dueAt >= item.dueAt) return
      this.#put(item, child.place)
      this.#put(child, place)
    }
  }
}
