import { charactersIn, firstCharacters, isUpTo } from './text.ts'

/**
 * Every code that a client can meet in `extensions.code`, with its meaning and whether the same call
 * may succeed later (`extensions.retryable`).
 */
export const ERROR_CODES = {
  // The request itself.
  BAD_INPUT: { retryable: false, meaning: 'A value is malformed or outside its bounds.' },
  BAD_METRICS: { retryable: false, meaning: 'A metric or a map of metrics is not what the contract allows.' },
  BAD_PARAMS: { retryable: false, meaning: "The parameters do not satisfy the trainer's JSON Schema." },
  BAD_CURSOR: { retryable: false, meaning: 'The text is not a cursor of this API.' },
  CURSOR_OF_ANOTHER_TASK: { retryable: false, meaning: 'The cursor was issued for a different task.' },
  CURSOR_AHEAD: { retryable: false, meaning: 'The cursor points past the newest event of the log.' },
  QUERY_TOO_COMPLEX: { retryable: false, meaning: 'The document is too deep, too broad or too costly.' },
  DOCUMENT_TOO_LARGE: {
    retryable: false,
    meaning: 'The document has too many bytes or tokens, or a name that is too long.',
  },
  DOCUMENT_NOT_TRUSTED: {
    retryable: false,
    meaning: 'The server runs only the documents of its manifest (EPOCHCAST_TRUSTED_DOCUMENTS).',
  },
  // Clients that send ids of documents know it by this name, and send the document itself instead.
  PERSISTED_QUERY_NOT_SUPPORTED: {
    retryable: false,
    meaning: 'The server has no manifest of documents; an id alone says nothing to it.',
  },
  GRAPHQL_PARSE_FAILED: { retryable: false, meaning: 'The document is not GraphQL.' },
  GRAPHQL_VALIDATION_FAILED: { retryable: false, meaning: 'The document does not fit the schema.' },
  BAD_REQUEST: { retryable: false, meaning: 'The HTTP request is not a GraphQL request.' },
  NOT_FOUND: { retryable: false, meaning: 'The server has nothing at this path.' },
  HEADERS_TOO_LARGE: { retryable: false, meaning: 'The request line and headers exceed 16 KiB.' },
  REQUEST_TIMEOUT: {
    retryable: true,
    meaning: 'The request did not come whole in time (EPOCHCAST_HEADERS_SECONDS, EPOCHCAST_REQUEST_SECONDS).',
  },
  BODY_TOO_LARGE: { retryable: false, meaning: 'The request body exceeds EPOCHCAST_MAX_BODY_BYTES.' },
  ORIGIN_NOT_ALLOWED: {
    retryable: false,
    meaning: 'A browser page of this origin may not use this server (EPOCHCAST_ALLOWED_ORIGINS).',
  },

  UNAUTHENTICATED: {
    retryable: false,
    meaning:
      'There is no token, or it is not valid (any more); `extensions.reason` says what is wrong with it. Expected another one.',
  },
  FORBIDDEN: { retryable: false, meaning: 'The token gives no right to do this.' },
  AUTHENTICATION_UNAVAILABLE: {
    retryable: true,
    meaning:
      'The keys that tokens are checked by (EPOCHCAST_JWKS_URL) are out of reach, and none are known yet.',
  },

  // Things that are not there.
  TASK_NOT_FOUND: { retryable: false, meaning: 'No such task, or it is no longer retained.' },
  TRAINER_NOT_FOUND: { retryable: false, meaning: "The server's configuration has no such trainer." },
  CHANNEL_PREFIX_NOT_ALLOWED: {
    retryable: false,
    meaning: 'The prefix is not in EPOCHCAST_CHANNEL_PREFIXES.',
  },

  // The state of a task forbids it.
  TASK_ENDED: { retryable: false, meaning: 'The task has its final status; nothing can be added.' },
  TASK_NOT_ENDED: { retryable: false, meaning: 'The task may still report; that is for one that has ended.' },
  STALE_ATTEMPT: { retryable: false, meaning: 'A newer attempt of the task has been launched.' },
  SEQUENCE_GAP: {
    retryable: false,
    meaning: 'firstSequence skips reports of this producer; extensions.expected says where to go on.',
  },
  SEQUENCE_CONFLICT: {
    retryable: false,
    meaning:
      'Other reports of this producer have these sequence numbers: its name is in use. Expected a name of its own for each process.',
  },
  IDEMPOTENCY_CONFLICT: {
    retryable: false,
    meaning: 'The idempotencyKey was already used to start a different training.',
  },

  // Bounds of the server.
  TOO_MANY_PRODUCERS: { retryable: false, meaning: 'Too many producers have reported to one attempt.' },
  TOO_MANY_MEMBERS: { retryable: false, meaning: 'Too many members have reported to one task.' },
  TOO_MANY_SERIES: {
    retryable: false,
    meaning: 'The members of a task may have only so many series: members times metrics.',
  },
  TOO_MANY_SUBSCRIPTIONS: {
    retryable: true,
    meaning: 'The socket or the server has no place for another subscription.',
  },
  STREAM_COMPLETE: {
    retryable: false,
    meaning:
      'The task has ended, and all of its events were delivered: there is nothing to come back for. Over HTTP it is 204.',
  },
  STREAM_TIMED_OUT: {
    retryable: true,
    meaning: 'A stream of states reached EPOCHCAST_MAX_STATE_STREAM_SECONDS; subscribing again goes on.',
  },
  RATE_LIMITED: {
    retryable: true,
    meaning: 'Too many of these in a short time; `extensions.retryAfterMs` says when to try again.',
  },
  TOO_MANY_CONNECTIONS: {
    retryable: true,
    meaning:
      'The address or the server has no place for another connection; `extensions.retryAfterMs` says when to try again.',
  },
  OVERLOADED: {
    retryable: true,
    meaning:
      'What this address or the server has under way, sent or yet to read, has reached its bound; `extensions.retryAfterMs` says when to try again.',
  },
  TOO_MANY_TASKS: {
    retryable: true,
    meaning:
      'There are too many tasks (EPOCHCAST_MAX_TASKS), or too many unfinished ones of this address (EPOCHCAST_MAX_TASKS_PER_ADDRESS).',
  },
  QUEUE_FULL: { retryable: true, meaning: "The launcher's queue is full." },
  QUEUE_UNAVAILABLE: {
    retryable: true,
    meaning: "The launcher's queue is out of reach; what waits for it is handed over once it is back.",
  },
  STORE_FULL: {
    retryable: true,
    meaning: 'The event log has no room, even after dropping what it may drop.',
  },
  DATA_DAMAGED: {
    retryable: false,
    meaning: 'What is stored of the task is not on disk as it was written; the others are unharmed.',
  },
  CONTENDED: { retryable: true, meaning: 'Too many writers changed the task at once.' },
  ANSWER_TOO_LARGE: { retryable: false, meaning: 'What was asked for is more than one answer may carry.' },
  RESULT_TOO_LARGE: {
    retryable: false,
    meaning: 'The result of a success is too large; the same report without it is accepted.',
  },
  ENGINE_UNAVAILABLE: {
    retryable: true,
    meaning:
      'The engine is out of reach or did not answer in time. The call may have been applied all the same; repeating it with the same producer and firstSequence, or idempotencyKey, is harmless.',
  },
  SHUTTING_DOWN: {
    retryable: true,
    meaning: 'The server is stopping; another one, or this one later, will serve.',
  },
  INTERNAL_SERVER_ERROR: { retryable: true, meaning: 'A bug or a broken part; the log of the server tells.' },
} as const satisfies Record<string, { retryable: boolean; meaning: string }>

export type ErrorCode = keyof typeof ERROR_CODES

type RetryableCode = {
  [Code in ErrorCode]: (typeof ERROR_CODES)[Code]['retryable'] extends true ? Code : never
}[ErrorCode]

/** When to try again (`extensions.retryAfterMs`) where nothing tells it better: what has to be finished or let go takes longer. */
const RETRY_AFTER_MS: Readonly<Record<string, number>> = {
  REQUEST_TIMEOUT: 1000,
  AUTHENTICATION_UNAVAILABLE: 1000,
  TOO_MANY_SUBSCRIPTIONS: 1000,
  // The stream had its time, and may have it again at once.
  STREAM_TIMED_OUT: 0,
  RATE_LIMITED: 1000,
  TOO_MANY_CONNECTIONS: 1000,
  OVERLOADED: 1000,
  TOO_MANY_TASKS: 10_000,
  QUEUE_FULL: 5000,
  QUEUE_UNAVAILABLE: 5000,
  STORE_FULL: 5000,
  CONTENDED: 100,
  ENGINE_UNAVAILABLE: 1000,
  SHUTTING_DOWN: 1000,
  INTERNAL_SERVER_ERROR: 1000,
} satisfies { [Code in RetryableCode]: number }

/** An expected refusal: its message and code reach the client as they are. */
export class EpochcastError extends Error {
  readonly code: ErrorCode
  readonly details: Readonly<Record<string, unknown>>

  constructor(
    code: ErrorCode,
    message: string,
    options: { details?: Record<string, unknown>; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'EpochcastError'
    this.code = code
    this.details = options.details ?? {}
  }

  /** What GraphQL clients find under `extensions`. */
  get extensions(): Record<string, unknown> {
    return extensionsOf(this.code, this.details)
  }
}

/** What a client is told of a code beside the words: where it is `retryable`, with `retryAfterMs`, always. */
export function extensionsOf(
  code: ErrorCode,
  details: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const { retryable } = ERROR_CODES[code]
  if (!retryable || typeof details.retryAfterMs === 'number') return { ...details, code, retryable }
  return { ...details, retryAfterMs: RETRY_AFTER_MS[code], code, retryable }
}

const MAX_QUOTED_LENGTH = 80

/** Quotes a value from outside in an error message, shortened so that a message stays readable. */
export function quote(value: unknown): string {
  if (typeof value !== 'string') return shortened(jsonOf(value), (text) => text)
  return shortened(value, (text) => JSON.stringify(text))
}

function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value)
  } catch (error) {
    if (error instanceof RangeError) return 'a value of very many levels'
    throw error
  }
}

function shortened(text: string, write: (text: string) => string): string {
  if (isUpTo(text, MAX_QUOTED_LENGTH)) return write(text)
  return `${write(firstCharacters(text, MAX_QUOTED_LENGTH))}… (${charactersIn(text)} characters)`
}
