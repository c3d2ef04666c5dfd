import { once } from 'node:events'
import { createServer } from 'node:net'

/**
 * Below the ports that systems give to outgoing connections: one of these could take a server's port while it is
 * down, or even connect to itself there. A Redis of a cluster listens 10,000 above its port, too.
 */
const FIRST = 15_000
const LAST = 22_000

/** Whoever asked for one of them may not listen there yet. */
const given = new Set<number>()

/** A port nobody listens on at the moment, and another one each time. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST + 1))
    if (given.has(port)) continue
    given.add(port)
    const trial = createServer()
    const isFree = await new Promise<boolean>((resolve) => {
      trial.once('error', () => resolve(false))
      trial.listen(port, '127.0.0.1', () => resolve(true))
    })
    if (!isFree) continue
    trial.close()
    await once(trial, 'close')
    return port
  }
}
