import { type Link, openLink } from './link.ts'
import { keepToken, keptToken, takeTokenFromAddress } from './token.ts'

export interface SessionState {
  readonly link: Link
  readonly hasToken: boolean
  /** Whether the page is to be connected at all. */
  readonly isOn: boolean
  /** Why the server wants another token; null where it wants none. */
  readonly refusal: string | null
}

/** Who looks, and over which connection: outside of React, so that neither depends on what is rendered. */
export class Session {
  readonly #url: string
  readonly #listeners = new Set<() => void>()
  #token: string | null
  #state: SessionState

  constructor(url: string) {
    this.#url = url
    const given = takeTokenFromAddress()
    if (given !== null) keepToken(given)
    this.#token = given ?? keptToken()
    this.#state = this.#opened()
    addEventListener('hashchange', () => {
      const token = takeTokenFromAddress()
      if (token !== null) this.signIn(token)
    })
  }

  readonly getState = (): SessionState => this.#state

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  signIn(token: string): void {
    this.#replaceToken(token)
    this.#enter(this.#opened())
  }

  signOut(): void {
    this.#replaceToken(null)
    this.#enter({ ...this.#opened(), refusal: null })
  }

  connect(): void {
    this.#state.link.close()
    this.#enter(this.#opened())
  }

  /** What is shown stays as it is. */
  disconnect(): void {
    this.#state.link.close()
    this.#enter({ ...this.#state, isOn: false })
  }

  refuse(refusal: string): void {
    if (this.#state.refusal === null) this.#enter({ ...this.#state, refusal })
  }

  #replaceToken(token: string | null): void {
    this.#state.link.close()
    this.#token = token
    keepToken(token)
  }

  #opened(): SessionState {
    const link = openLink(this.#url, this.#token)
    return { link, hasToken: this.#token !== null, isOn: true, refusal: null }
  }

  #enter(state: SessionState): void {
    this.#state = state
    for (const listener of this.#listeners) listener()
  }
}
