const REDACTED = '[redacted]'

/** Shorter ones would turn up in what has nothing to do with them. */
const MIN_SECRET_LENGTH = 16

/** Takes secrets out of what a trainer prints. */
export class Redaction {
  readonly #secrets: readonly string[]

  /** @param secrets of ASCII, as tokens are; what is too short to be one is left */
  constructor(secrets: readonly (string | null)[]) {
    this.#secrets = secrets.filter(
      (secret) => secret !== null && secret.length >= MIN_SECRET_LENGTH,
    ) as string[]
  }

  redact(text: string): string {
    let redacted = text
    for (const secret of this.#secrets)
      if (redacted.includes(secret)) redacted = redacted.replaceAll(secret, REDACTED)
    return redacted
  }

  /** How many bytes at the end of these may be the beginning of a secret: they are kept until more is known. */
  openBytes(bytes: Buffer): number {
    const text = bytes.toString('latin1')
    // What belongs to one that is there whole is no beginning of another.
    const from = Math.max(0, ...this.#secrets.map((secret) => endOfLast(text, secret)))
    let open = 0
    for (const secret of this.#secrets) {
      for (let i = Math.max(from, text.length - secret.length + 1); text.length - i > open; i++) {
        if (text[i] === secret[0] && secret.startsWith(text.slice(i))) open = text.length - i
      }
    }
    return open
  }

  /** Without its beginning, which may be the rest of a secret: text that was cut somewhere before. */
  withoutRest(text: string): string {
    let from = this.longest
    for (const secret of this.#secrets) {
      const at = text.indexOf(secret, Math.max(0, from - secret.length + 1))
      if (at >= 0 && at < from) from = at + secret.length
    }
    return text.slice(from)
  }

  /** The longest that a secret is. */
  get longest(): number {
    return Math.max(0, ...this.#secrets.map(({ length }) => length))
  }
}

/** 0 where it is not there. */
function endOfLast(text: string, secret: string): number {
  const at = text.lastIndexOf(secret)
  return at < 0 ? 0 : at + secret.length
}
