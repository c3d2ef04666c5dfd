import { type FormEvent, useState } from 'react'
import { useSession } from '../session/context.tsx'

/** Where the server wants a token. It stays in this tab. */
export function SignIn({ refusal }: { refusal: string }) {
  const { session, state } = useSession()
  const [token, setToken] = useState('')
  const signIn = (event: FormEvent) => {
    event.preventDefault()
    const value = token.trim().replace(/^Bearer\s+/i, '')
    if (value !== '') session.signIn(value)
  }
  return (
    <main className="sign-in">
      <form className="card stack" onSubmit={signIn}>
        <img src="/favicon.svg" alt="" width="40" height="40" />
        <h1>This server wants a token</h1>
        <p className="muted">
          {state.hasToken && <strong>The token was refused: {refusal}. </strong>}
          Tokens come from your login, from a link that somebody shared, or from <code>epochcast token</code>.
        </p>
        <label className="field">
          <span>Token</span>
          <input
            type="password"
            autoComplete="off"
            spellCheck={false}
            value={token}
            onChange={({ target }) => setToken(target.value)}
          />
        </label>
        <p className="hint">It is kept in this tab only, and never in an address.</p>
        <button type="submit" className="button button-primary">
          Go on
        </button>
      </form>
    </main>
  )
}
