import { useEffect, useState } from 'react'
import { useConnection } from '../session/connection.ts'

/** From this try on, a page that was never connected asks why. */
const ASKS_FROM_ATTEMPT = 2

/**
 * A browser does not tell a page why its socket was refused. Where that is because of the page's own origin, which a server at another
 * address than this machine's has to be told, it would go on trying without a word: so it asks by HTTP.
 */
export function OriginNotice() {
  const { connection, heartbeat } = useConnection()
  const [words, setWords] = useState<string | null>(null)
  const isRefused =
    heartbeat === null && connection.kind === 'reconnecting' && connection.attempt >= ASKS_FROM_ATTEMPT
  useEffect(() => {
    if (!isRefused) return
    let isLeft = false
    void refusedOrigin().then((refusal) => {
      if (!isLeft) setWords(refusal)
    })
    return () => {
      isLeft = true
    }
  }, [isRefused])
  if (words === null || !isRefused) return null
  return (
    <p className="notice" data-tone="danger" role="alert">
      <strong>This server does not take calls from this address.</strong> {words}
    </p>
  )
}

async function refusedOrigin(): Promise<string | null> {
  try {
    const headers = { 'content-type': 'application/json' }
    const response = await fetch('/graphql', { method: 'POST', headers, body: '{"query":"{__typename}"}' })
    if (response.status !== 403) return null
    const { errors } = (await response.json()) as {
      errors?: { message: string; extensions?: { code?: string } }[]
    }
    const [error] = errors ?? []
    return error?.extensions?.code === 'ORIGIN_NOT_ALLOWED' ? error.message : null
  } catch {
    // It is out of reach altogether, which the connection tells.
    return null
  }
}
