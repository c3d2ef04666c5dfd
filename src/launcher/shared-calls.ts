/** Calls under one name at the same time are one. */
export class SharedCalls {
  readonly #underWay = new Map<string, Promise<void>>()

  run(name: string, work: () => Promise<void>): Promise<void> {
    const known = this.#underWay.get(name)
    if (known) return known
    const running = work().finally(() => this.#underWay.delete(name))
    this.#underWay.set(name, running)
    return running
  }
}
