import { LRUCache } from 'lru-cache'
import { graphqlEvents, type StreamFormat } from '../streams/stream-format.ts'
import { EVENT_TEXT } from './event-document.ts'

/** Selections of types for which batches share their bytes. */
const MAX_KEPT = 100

const kept = new LRUCache<string, StreamFormat>({ max: MAX_KEPT })

/** Milliseconds after which an EventSource comes back. */
const RETRY_MS = 1000

/**
 * Events as an EventSource gets them without a library: `message` events whose data is the event as JSON, with its cursor
 * for their id. After `end` there is nothing to come back for: whoever does is told so by 204.
 *
 * @param types those that are wanted; empty for all
 */
export function plainFormat(types: readonly string[]): StreamFormat {
  const key = [...types].sort().join()
  let format = kept.get(key)
  if (!format) {
    format = formatOf(types.length === 0 ? null : new Set(types))
    kept.set(key, format)
  }
  return format
}

function formatOf(types: ReadonlySet<string> | null): StreamFormat {
  return {
    headers: graphqlEvents.headers,
    opening: `retry: ${RETRY_MS}\n\n`,
    heartbeat: ':\n\n',
    result(text, cursor) {
      const id = cursor === null ? '' : `id: ${cursor}\n`
      if (!text.startsWith(EVENT_TEXT.before)) return `${id}event: failure\ndata: ${text}\n\n`
      const event = text.slice(EVENT_TEXT.before.length, -EVENT_TEXT.after.length)
      const type = typeIn(event)
      if (type === 'StreamClosing') return `${id}event: end\ndata: ${event}\n\n`
      // What was left out moves the position all the same.
      if (types !== null && !types.has(type) && !ALWAYS.has(type)) return `${id}\n`
      return `${id}data: ${event}\n\n`
    },
    failure: (text) => `event: failure\ndata: ${text}\n\n`,
    completion: '',
  }
}

/** What one must know of a stream, whatever else one asks for. */
const ALWAYS: ReadonlySet<string> = new Set(['EventsSkipped', 'StreamInterrupted', 'StreamTimedOut'])

const TYPE = /^\{"type":"(\w+)"/

const typeIn = (event: string): string => TYPE.exec(event)?.[1] ?? ''
