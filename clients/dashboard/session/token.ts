const KEY = 'epochcast.token'

/**
 * The token of a link, behind the # that no server is sent; it is taken out of the address at once, so that it stays in no history
 * and in no copied address.
 */
export function takeTokenFromAddress(): string | null {
  const token = new URLSearchParams(location.hash.slice(1)).get('token')
  if (token === null) return null
  history.replaceState(history.state, '', location.pathname + location.search)
  return token
}

/** For this tab only; in a frame that may keep nothing, as long as the page is open. */
export function keptToken(): string | null {
  try {
    return sessionStorage.getItem(KEY)
  } catch {
    return null
  }
}

export function keepToken(token: string | null): void {
  try {
    if (token === null) sessionStorage.removeItem(KEY)
    else sessionStorage.setItem(KEY, token)
  } catch {
    // It is in memory as well.
  }
}
