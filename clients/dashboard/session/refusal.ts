import { isClose } from '../../typescript/error.ts'

/** A server closes a socket with it where its token is missing, not valid, or no longer so. */
const FORBIDDEN = 4403

/** Why a server wants another token, in its own words; null for whatever else went wrong. */
export function refusalOf(error: unknown): string | null {
  for (let cause = error; cause; cause = (cause as { cause?: unknown }).cause) {
    if (isClose(cause) && cause.code === FORBIDDEN) return cause.reason || 'a token is needed'
    if ((cause as { code?: unknown }).code === 'UNAUTHENTICATED') return (cause as Error).message
  }
  return null
}
