/** What is done under one name is done one after the other. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>()

  take<T>(name: string, act: () => Promise<T>): Promise<T> {
    const before = this.#last.get(name)
    const done = before ? before.then(act, act) : act()
    this.#last.set(name, done)
    const leave = () => {
      if (this.#last.get(name) === done) this.#last.delete(name)
    }
    done.then(leave, leave)
    return done
  }
}
