import { EpochcastError, quote } from '../task/errors.ts'

/** Which document a client asks for: by its text, by an id, or by both. */
export interface DocumentRequest {
  readonly query?: string | null | undefined
  readonly operationName?: string | null | undefined
  /** As GraphQL over HTTP has it, and urql. */
  readonly documentId?: string | null | undefined
  /** `persistedQuery.sha256Hash` in it, as Apollo and urql have it. */
  readonly extensions?: Readonly<Record<string, unknown>> | null | undefined
}

/** Whether a message asks for a document at all, in the right form; what does not is not for `Operations`. */
export function asksForDocument(message: Readonly<Record<string, unknown>>): boolean {
  const { query, documentId, extensions } = message
  if (query != null && typeof query !== 'string') return false
  if (documentId != null && typeof documentId !== 'string') return false
  return typeof query === 'string' || documentId != null || persistedQuery(extensions) !== undefined
}

/**
 * The id under which a document is asked for; null for none.
 *
 * @throws EpochcastError BAD_REQUEST
 */
export function documentIdOf({ documentId, extensions }: DocumentRequest): string | null {
  const id = documentId ?? persistedQuery(extensions)
  if (id == null) return null
  if (typeof id === 'string') return id.replace(/^sha256:/, '')
  throw new EpochcastError('BAD_REQUEST', `the document's id is ${quote(id)}; expected a text`)
}

function persistedQuery(extensions: unknown): unknown {
  return (extensions as { persistedQuery?: { sha256Hash?: unknown } } | null | undefined)?.persistedQuery
    ?.sha256Hash
}

/** graphql-ws expects a text in every message that subscribes; what asks by an id alone gets an empty one. */
export function withText(message: unknown): unknown {
  const { type, payload } = (message ?? {}) as { type?: unknown; payload?: Record<string, unknown> }
  if (type !== 'subscribe' || typeof payload !== 'object' || payload === null) return message
  return payload.query == null && asksForDocument(payload)
    ? { ...(message as object), payload: { ...payload, query: '' } }
    : message
}
