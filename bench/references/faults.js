// @ts-check
/**
 * What `--self-test` lets the bare reference do wrong, to see that the load generator notices: each changes what
 * the last of the sockets gets for event 20. `lie` changes the event for all of them alike.
 *
 * @type {Record<string, (message: string) => string[]>}
 */
const FAULTS = {
  drop: () => [],
  double: (message) => [message, message],
  corrupt: (message) => [message.replace('"loss":', '"lost":')],
  alter: (message) => [altered(message)],
  stale: (message) => [message.replace(/"current":(\d+)/, (_, n) => `"current":${n - 1}`)],
}

export const FAULT_NAMES = [...Object.keys(FAULTS), 'swap', 'cut', 'lie']
const AT = 20

/**
 * Of the same length, which nobody sees who only looks at numbers and lengths.
 *
 * @param {string} message
 */
export const altered = (message) => message.replace(/"grad_norm":1/, '"grad_norm":2')

/**
 * @param {string} name one of FAULT_NAMES
 * @returns {(socket: import('ws').WebSocket, message: string) => void} how the faulty socket is sent to
 */
export function faultySend(name) {
  let count = 0
  let held = ''
  return (socket, message) => {
    const isNow = ++count === AT
    if (isNow && name === 'cut') return socket.terminate()
    if (isNow && name === 'swap') {
      held = message
      return
    }
    const messages = isNow && FAULTS[name] ? FAULTS[name](message) : [message]
    for (const each of messages) socket.send(each)
    if (held) socket.send(held)
    held = ''
  }
}
