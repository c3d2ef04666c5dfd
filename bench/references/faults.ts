import type { WebSocket } from 'ws'

/** What becomes of a message. */
const CHANGES: Record<string, (message: string) => string[]> = {
  drop: () => [],
  double: (message) => [message, message],
  corrupt: (message) => [message.replace('"loss":', '"lost":')],
  // Of the same length, which a check of numbers and lengths does not see.
  alter: (message) => [message.replace(/"grad_norm":1/, '"grad_norm":2')],
  stale: (message) => [message.replace(/"current":(\d+)/, (_, n) => `"current":${n - 1}`)],
}

const SWAP = 'swap'
const CUT = 'cut'
const FOR_ALL = ' for all'
/** The event that it happens to. */
const AT = 20
const LONGEST_HOLD_MS = 100

/**
 * What `--self-test` lets the bare reference do wrong, to see that the load generator notices: to the last of the
 * sockets, or to all of them alike.
 */
export const FAULT_NAMES = [
  ...[...Object.keys(CHANGES), SWAP, CUT],
  ...['drop', 'double', 'alter', SWAP].map((change) => `${change}${FOR_ALL}`),
]

/** Not a fault: a call is through before one that came earlier. Only for calls that are under way at the same time. */
export const OVERTAKING = 'overtaking'

/**
 * @param name one of FAULT_NAMES
 * @returns a faulty broadcast
 */
export function faultyBroadcast(name: string): (members: ReadonlySet<WebSocket>, message: string) => void {
  const isForAll = name.endsWith(FOR_ALL)
  const fault = isForAll ? name.slice(0, -FOR_ALL.length) : name
  let count = 0
  let held = ''
  return (members, message) => {
    const isNow = ++count === AT
    const victims = isForAll ? members : new Set([...members].slice(-1))
    let messages: string[]
    if (isNow && fault === SWAP) messages = []
    else if (isNow && CHANGES[fault]) messages = CHANGES[fault](message)
    else messages = held ? [message, held] : [message]
    held = isNow && fault === SWAP ? message : ''
    for (const socket of members) {
      if (!victims.has(socket)) socket.send(message)
      else if (isNow && fault === CUT) socket.terminate()
      else for (const each of messages) socket.send(each)
    }
  }
}

/** @returns runs one thing after the other, every third one after its successor */
export function overtaking(): (run: () => void) => void {
  let count = 0
  let held: (() => void) | null = null
  const release = () => {
    held?.()
    held = null
  }
  return (run) => {
    if (++count % 3 === 0) {
      held = run
      // There may be no successor.
      setTimeout(release, LONGEST_HOLD_MS)
      return
    }
    run()
    release()
  }
}
