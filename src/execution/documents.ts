import {
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  parse,
  type ValidationRule,
  validate,
} from 'graphql'
import { LRUCache } from 'lru-cache'
import type { ErrorCode } from '../task/errors.ts'
import { LIMITS } from '../task/limits.ts'
import { checkShape } from './document-shape.ts'
import { countTokens } from './document-text.ts'
import { HeldDocuments } from './held-documents.ts'
import { noIntrospection, VALIDATION_RULES } from './validation-rules.ts'

/** Documents remembered, and refused ones; clients send the same few over and over. */
export const MAX_DOCUMENTS = 500
export const MAX_REFUSED = 500
/** Bytes that the remembered ones take, parsed; one alone takes at most a tenth of it. */
export const MAX_DOCUMENTS_BYTES = 32 * 1024 * 1024
/** Bytes of the texts of refused ones, and of what is wrong with them. */
export const MAX_REFUSED_BYTES = 4 * 1024 * 1024

/** A token with the nodes it becomes, as measured: up to 513 bytes. */
const BYTES_PER_TOKEN = 512
const BYTES_PER_CHARACTER = 2

export interface KnownDocument {
  /** The text as it was sent first: what keeps it need not keep a copy. */
  readonly text: string
  readonly document: DocumentNode
  /** Memory that it takes, estimated. */
  readonly bytes: number
}

export type DocumentErrors = readonly GraphQLError[]

export interface DocumentsOptions {
  /** Whether clients may ask for the schema. */
  readonly introspection: boolean
  /** Part of the bytes of documents in use that one address may have. */
  readonly addressShare: number
  /** What a client is told of an error. */
  readonly translate: (error: unknown, fallback?: ErrorCode) => GraphQLError
}

/**
 * Parsed and validated documents by their text, for every door; the least recently used are forgotten first. What is
 * wrong with a document is remembered, too, apart from the valid ones: whoever sends it again costs nothing.
 */
export class Documents {
  readonly #schema: GraphQLSchema
  readonly #options: DocumentsOptions
  readonly #rules: readonly ValidationRule[]
  readonly #known = new LRUCache<string, KnownDocument>({
    max: MAX_DOCUMENTS,
    maxSize: MAX_DOCUMENTS_BYTES,
    sizeCalculation: ({ bytes }) => bytes,
  })
  readonly #refused = new LRUCache<string, DocumentErrors>({
    max: MAX_REFUSED,
    maxSize: MAX_REFUSED_BYTES,
    sizeCalculation: (errors, text) =>
      BYTES_PER_CHARACTER * (text.length + errors.reduce((sum, { message }) => sum + message.length, 0)) +
      1024,
  })
  readonly #held: HeldDocuments<KnownDocument>
  readonly #byDocument = new WeakMap<DocumentNode, KnownDocument>()

  constructor(schema: GraphQLSchema, options: DocumentsOptions) {
    this.#schema = schema
    this.#options = options
    this.#held = new HeldDocuments(options.addressShare)
    this.#rules = options.introspection ? VALIDATION_RULES : [...VALIDATION_RULES, noIntrospection]
  }

  get size(): number {
    return this.#known.size
  }

  get refusedSize(): number {
    return this.#refused.size
  }

  /** Bytes of documents that open subscriptions use. */
  get heldBytes(): number {
    return this.#held.bytes
  }

  /** The document, or what is wrong with it. */
  get(text: string): KnownDocument | DocumentErrors {
    const found = this.#known.get(text) ?? this.#held.get(text) ?? this.#refused.get(text)
    if (found) return found
    const looked = this.#look(text)
    if ('document' in looked) {
      this.#byDocument.set(looked.document, looked)
      this.#known.set(text, looked)
    } else if (isWorthRemembering(text, looked)) {
      this.#refused.set(text, looked)
    }
    return looked
  }

  /**
   * Keeps a document for as long as a subscription of an address uses it, so that all that send its text share it.
   *
   * @returns the function that lets it go, to be called once
   * @throws EpochcastError TOO_MANY_SUBSCRIPTIONS
   */
  hold(document: DocumentNode, account: string | null): () => void {
    const known = this.#byDocument.get(document)
    return known ? this.#held.hold(known, account) : NOTHING_HELD
  }

  /** Cheap checks first: each bounds what the next one has to do. */
  #look(text: string): KnownDocument | DocumentErrors {
    const { translate, introspection } = this.#options
    try {
      const tokens = countTokens(text)
      const document = parse(text, { maxTokens: LIMITS.documentTokens })
      checkShape(document)
      const options = { maxErrors: LIMITS.validationErrors, hideSuggestions: !introspection }
      const errors = validate(this.#schema, document, this.#rules, options)
      if (errors.length > 0)
        return errors.map((error) => withoutNodes(translate(error, 'GRAPHQL_VALIDATION_FAILED')))
      const bytes = BYTES_PER_CHARACTER * text.length + BYTES_PER_TOKEN * tokens + 1024
      return { text, document, bytes }
    } catch (error) {
      return [withoutNodes(translate(error))]
    }
  }
}

const NOTHING_HELD = () => {}

/** What is too long is refused at once, and a failure of ours may be gone the next time. */
const isWorthRemembering = (text: string, errors: DocumentErrors): boolean =>
  text.length <= LIMITS.documentBytes &&
  errors.every(({ extensions }) => extensions.code !== 'INTERNAL_SERVER_ERROR')

/** Nodes lead to the whole document, which is not to be kept with what is wrong with it. */
function withoutNodes({ message, source, positions, extensions }: GraphQLError): GraphQLError {
  return new GraphQLError(message, { source: source ?? null, positions: positions ?? null, extensions })
}
