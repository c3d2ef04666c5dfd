/** A host and port as browsers write them; what else stands in a Host header goes into no policy. */
const HOST = /^(?:[a-z0-9.-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/i

/**
 * What a page of the dashboard may do: run and show the server's own files, and call the server. No script, style or address of
 * anybody else, and none that is written into the page.
 *
 * @param host the request's Host header: older browsers take `'self'` for http only, and not for WebSockets
 * @param isEmbedded whether it is made for frames of other pages; the others have buttons that nobody must press unknowingly
 */
export function pageHeaders(host: string | undefined, isEmbedded: boolean): Record<string, string> {
  const sockets = host !== undefined && HOST.test(host) ? ` ws://${host} wss://${host}` : ''
  return {
    'content-security-policy': [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "img-src 'self' data:",
      `connect-src 'self'${sockets}`,
      "base-uri 'none'",
      "form-action 'none'",
      `frame-ancestors ${isEmbedded ? '*' : "'none'"}`,
    ].join('; '),
    ...(isEmbedded ? {} : { 'x-frame-options': 'DENY', 'cross-origin-opener-policy': 'same-origin' }),
    // What stands behind a # is not sent anyway; where the link to a task came from is nobody's business either.
    'referrer-policy': 'no-referrer',
  }
}
