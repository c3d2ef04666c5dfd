import { WebSocket } from 'ws'
import { NAMES, startViewer } from './viewer.ts'

/*
 * Of a process that can be frozen: all front ends at once. Says what they have seen whenever that has changed.
 */

const [url = '', taskId = ''] = process.argv.slice(2)
const viewed = Object.fromEntries(
  NAMES.map((name) => [name, startViewer(name, { url, taskId, webSocketImpl: WebSocket })]),
)
let told = ''
setInterval(() => {
  const text = JSON.stringify(viewed)
  if (text !== told) console.log(text)
  told = text
}, 100)
