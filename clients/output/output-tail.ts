import { Redaction } from './redaction.ts'

/** The newest bytes of a process's output, without secrets. */
export class OutputTail {
  readonly #maxBytes: number
  readonly #redaction: Redaction
  #chunks: Buffer[] = []
  #bytes = 0
  #isCut = false

  constructor(maxBytes: number, redaction = new Redaction([])) {
    this.#maxBytes = maxBytes
    this.#redaction = redaction
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    // So much more that what may be the rest of a secret, at the start, is not missed.
    const kept = this.#maxBytes + this.#redaction.longest
    while (this.#bytes - (this.#chunks[0]?.length ?? 0) >= kept) {
      this.#bytes -= this.#chunks.shift()?.length ?? 0
      this.#isCut = true
    }
  }

  /** As text; where the start was cut, from the first whole line on if there is one. */
  toString(): string {
    const all = Buffer.concat(this.#chunks).toString('utf8')
    const whole = this.#isCut ? this.#redaction.withoutRest(all) : all
    const redacted = Buffer.from(this.#redaction.redact(whole))
    if (redacted.length <= this.#maxBytes && !this.#isCut) return redacted.toString('utf8').trimEnd()
    const from = Math.max(0, redacted.length - this.#maxBytes)
    const text = redacted.toString('utf8', from).trimEnd()
    return `…${text.slice(text.indexOf('\n') + 1)}`
  }
}
