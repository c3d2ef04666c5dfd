// Preloaded into every server that is measured, whoever wrote it, so that the same accounting holds for all:
// answers, over the channel to the process that started it, with its own CPU time and memory.
import { setTimeout as sleep } from 'node:timers/promises'

const PAGES_GIVEN_BACK_MS = 100

if (process.channel) {
  process.on('message', (/** @type {any} */ message) => {
    if (message?.probe === 'cpu') {
      const { user, system } = process.cpuUsage()
      process.send?.({ probe: message.id, answer: user + system })
    } else if (message?.probe === 'memory') {
      memory().then((answer) => process.send?.({ probe: message.id, answer }))
    }
  })
  // However the other side ended, nothing of it stays.
  process.on('disconnect', () => process.exit())
}

async function memory() {
  globalThis.gc?.()
  await sleep(PAGES_GIVEN_BACK_MS)
  globalThis.gc?.()
  await sleep(PAGES_GIVEN_BACK_MS)
  const { rss, heapUsed, external } = process.memoryUsage()
  return { rss, heapUsed, external }
}
