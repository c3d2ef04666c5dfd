/** Codes of a refusal that is of one report, which is then replaced by a word about it. */
export const OF_A_REPORT: ReadonlySet<string> = new Set([
  ...['BAD_INPUT', 'BAD_METRICS', 'TOO_MANY_SERIES', 'TOO_MANY_MEMBERS'],
  ...['BODY_TOO_LARGE', 'RESULT_TOO_LARGE', 'BAD_REQUEST'],
])
/** Codes after which nothing more of the run is taken. */
export const OF_THE_RUN: ReadonlySet<string> = new Set([
  ...['TASK_ENDED', 'STALE_ATTEMPT', 'TASK_NOT_FOUND', 'CHANNEL_PREFIX_NOT_ALLOWED'],
])
/** Not of what was reported: a token can be renewed, a server's settings mended, and what waits is still wanted then. */
export const OF_THE_SERVER: ReadonlySet<unknown> = new Set([
  ...['UNAUTHENTICATED', 'FORBIDDEN', 'ORIGIN_NOT_ALLOWED', 'NOT_FOUND', 'HEADERS_TOO_LARGE'],
  ...['DOCUMENT_NOT_TRUSTED', 'DOCUMENT_TOO_LARGE', 'PERSISTED_QUERY_NOT_SUPPORTED', 'QUERY_TOO_COMPLEX'],
  ...['GRAPHQL_PARSE_FAILED', 'GRAPHQL_VALIDATION_FAILED'],
])
