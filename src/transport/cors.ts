export const CORS_METHODS = ['GET', 'POST', 'OPTIONS'] as const

/** What a page of an allowed origin is told. A cache must not give it to a page of another. */
export const corsHeaders = (origin: string): Record<string, string> => ({
  'Access-Control-Allow-Origin': origin,
  'Access-Control-Allow-Methods': CORS_METHODS.join(', '),
  'Access-Control-Allow-Credentials': 'true',
  Vary: 'Origin',
})
