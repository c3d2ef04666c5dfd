import type { StreamState } from '../typescript/stream-state.ts'
import type { Source } from './source.ts'

/** What every hook tells beside its data. */
export interface Status {
  readonly state: StreamState
  /** What ended the stream, where that was not its own end. */
  readonly error: Error | null
}

/** For a component that is mounted again at once, as under StrictMode, or comes back to a page. */
const STOP_AFTER_MS = 1000
/** For a component that was suspended; longer than React takes to render it. */
const WAIT_FOR_SUSPENDED_MS = 30_000
/** Where no frame is drawn: in a background tab, or where there are none. */
const NO_FRAME_MS = 250

const CONNECTING: StreamState = { kind: 'connecting' }

/**
 * One subscription that any number of components share: it lives outside of them, from the first that looks to some time
 * after the last. However fast values come, components are told once a frame.
 */
export abstract class Store<Snapshot extends Status> {
  protected readonly source: Source
  readonly #initial: Snapshot
  readonly #listeners = new Set<() => void>()
  #snapshot: Snapshot
  #status: Status = { state: CONNECTING, error: null }
  #stop: (() => void) | null = null
  #stopping: ReturnType<typeof setTimeout> | undefined
  #frame: (() => void) | null = null
  #ready: { readonly promise: Promise<void>; readonly resolve: () => void } | null = null

  constructor(source: Source, initial: Snapshot) {
    this.source = source
    this.#initial = initial
    this.#snapshot = initial
  }

  get isIdle(): boolean {
    return this.#stop === null
  }

  /** The same until the next frame in which something has changed. */
  readonly getSnapshot = (): Snapshot => this.#snapshot

  readonly getServerSnapshot = (): Snapshot => this.#initial

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    this.#start()
    return () => {
      this.#listeners.delete(listener)
      if (this.#listeners.size === 0) this.#stopAfter(STOP_AFTER_MS)
    }
  }

  /** For suspense: resolves at the first value, or the end. */
  ready(): Promise<void> {
    this.#ready ??= withResolve()
    this.#start()
    if (this.#listeners.size === 0) this.#stopAfter(WAIT_FOR_SUSPENDED_MS)
    return this.#ready.promise
  }

  stop(): void {
    clearTimeout(this.#stopping)
    this.#frame?.()
    this.#frame = null
    const stop = this.#stop
    // What leaving still tells is none of the store's state.
    this.#stop = null
    stop?.()
  }

  /** Opens what it shows; returns how to end that. */
  protected abstract open(): () => void

  /** What there is now. */
  protected abstract look(status: Status): Snapshot

  protected get isEnded(): boolean {
    return this.#status.state.kind === 'ended'
  }

  protected enter(state: StreamState): void {
    if (this.isEnded || this.isIdle) return
    const error = state.kind === 'ended' && state.cause instanceof Error ? state.cause : null
    this.#status = { state, error }
    this.changed()
  }

  protected changed(): void {
    if (this.isIdle) return
    this.#frame ??= nextFrame(() => {
      this.#frame = null
      this.#snapshot = this.look(this.#status)
      if (this.#status.state.kind !== 'connecting' && this.hasValue(this.#snapshot)) this.#ready?.resolve()
      for (const listener of this.#listeners) listener()
    })
  }

  /** Whether a component that waits can go on. */
  abstract hasValue(snapshot: Snapshot): boolean

  #start(): void {
    clearTimeout(this.#stopping)
    if (this.#stop) return
    this.#status = { state: CONNECTING, error: null }
    this.#stop = this.open()
    // What it was when it was stopped is no longer true.
    if (this.#snapshot !== this.#initial) this.#snapshot = this.look(this.#status)
  }

  #stopAfter(ms: number): void {
    clearTimeout(this.#stopping)
    this.#stopping = setTimeout(() => this.stop(), ms)
  }
}

function withResolve(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = () => {}
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}

interface Frames {
  requestAnimationFrame?(run: () => void): number
  cancelAnimationFrame?(id: number): void
}

/** @returns takes it back */
function nextFrame(run: () => void): () => void {
  const { requestAnimationFrame, cancelAnimationFrame } = globalThis as Frames
  const cancel = () => {
    clearTimeout(timer)
    if (frame !== undefined) cancelAnimationFrame?.(frame)
  }
  const now = () => {
    cancel()
    run()
  }
  const timer = setTimeout(now, requestAnimationFrame ? NO_FRAME_MS : 16)
  const frame = requestAnimationFrame?.(now)
  return cancel
}
