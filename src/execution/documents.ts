import { type DocumentNode, type GraphQLError, type GraphQLSchema, parse, validate } from 'graphql'
import { LRUCache } from 'lru-cache'
import { EpochcastError } from '../task/errors.ts'
import { LIMITS } from '../task/limits.ts'
import { VALIDATION_RULES } from './validation-rules.ts'

/** Documents remembered; clients send the same few over and over. */
export const MAX_DOCUMENTS = 500
/** Characters of all their texts together; a longer text is parsed each time. */
export const MAX_CHARACTERS = 500_000

export interface KnownDocument {
  /** The text as it was sent first: what keeps it need not keep a copy. */
  readonly text: string
  readonly document: DocumentNode
}

/** Parsed and validated documents by their text, the least recently used forgotten first. */
export class Documents {
  readonly #schema: GraphQLSchema
  readonly #known = new LRUCache<string, KnownDocument>({
    max: MAX_DOCUMENTS,
    maxSize: MAX_CHARACTERS,
    sizeCalculation: ({ text }) => text.length,
  })

  constructor(schema: GraphQLSchema) {
    this.#schema = schema
  }

  get size(): number {
    return this.#known.size
  }

  /**
   * The document, or what is wrong with it. Only valid ones are remembered.
   *
   * @throws GraphQLError for a syntax error, and for more tokens than `LIMITS.documentTokens`; EpochcastError
   *   QUERY_TOO_COMPLEX
   */
  get(text: string): KnownDocument | readonly GraphQLError[] {
    const known = this.#known.get(text)
    if (known) return known
    // A document's size in tokens bounds the work of parsing and validating it.
    const document = withinStack(() => parse(text, { maxTokens: LIMITS.documentTokens }))
    const errors = withinStack(() => validate(this.#schema, document, VALIDATION_RULES))
    if (errors.length > 0) return errors
    const valid = { text, document }
    this.#known.set(text, valid)
    return valid
  }
}

/**
 * Parses or validates a document. Both call themselves for what stands within something, before anything can say how deep that
 * may be.
 *
 * @throws EpochcastError QUERY_TOO_COMPLEX where it goes deeper than they can
 */
export function withinStack<T>(run: () => T): T {
  try {
    return run()
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new EpochcastError(
      'QUERY_TOO_COMPLEX',
      `the document is nested too deeply to be read; expected selections of depth ${LIMITS.queryDepth} at most`,
    )
  }
}
