/** The newest bytes of a process's output. */
export class OutputTail {
  readonly #maxBytes: number
  #chunks: Buffer[] = []
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    while (this.#bytes - (this.#chunks[0]?.length ?? 0) >= this.#maxBytes) {
      this.#bytes -= this.#chunks.shift()?.length ?? 0
    }
  }

  /** As text; where the start was cut, from the first whole line on if there is one. */
  toString(): string {
    const all = Buffer.concat(this.#chunks)
    if (all.length <= this.#maxBytes) return all.toString('utf8').trimEnd()
    const text = all.subarray(all.length - this.#maxBytes).toString('utf8')
    return `…${text.slice(text.indexOf('\n') + 1)}`.trimEnd()
  }
}
