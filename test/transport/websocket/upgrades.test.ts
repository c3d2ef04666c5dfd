import { EventEmitter } from 'node:events'
import { expect, it } from 'vitest'
import { ANYONE, type Caller } from '../../../src/repository/access.ts'
import type { Callers } from '../../../src/transport/callers.ts'
import { FairTurns } from '../../../src/transport/fair-turns.ts'
import { Pipelines } from '../../../src/transport/pipelines.ts'
import { type SocketDoor, serveUpgrades } from '../../../src/transport/websocket/upgrades.ts'
import { testClients } from '../../support/clients.ts'
import { eventLoopTurns } from '../../support/event-loop-turns.ts'
import { until } from '../../support/until.ts'

const PER_ROUND = 4
const UPGRADES = 40

/** How many upgrades of one address are let in in each turn of the event loop; all of them ask at once. */
async function letInTogether(identify: () => Caller | Promise<Caller>): Promise<number[]> {
  const clients = Object.assign(testClients(), { turns: new FairTurns(PER_ROUND, Number.POSITIVE_INFINITY) })
  const callers = {
    areKnownByTokens: true,
    of: () => ANYONE,
    hasCredentials: () => true,
    identify,
  } as unknown as Callers
  const turns = eventLoopTurns()
  let count = 0
  const letIn = new Map<number, number>()
  const door: SocketDoor = {
    accepts: () => true,
    identifiesLater: true,
    socketCount: 0,
    upgrade: () => {
      count++
      letIn.set(turns.count, (letIn.get(turns.count) ?? 0) + 1)
    },
    close: async () => {},
  }
  const server = new EventEmitter()
  const logger = { debug: () => {}, error: expect.unreachable }
  serveUpgrades(server as never, [door], {
    clients,
    callers,
    pipelines: new Pipelines(),
    logger: logger as never,
    origins: { check: () => {}, isOwnHost: () => true } as never,
  })
  for (let i = 0; i < UPGRADES; i++) {
    const socket = Object.assign(new EventEmitter(), { writableEnded: false, destroyed: false })
    server.emit('upgrade', { url: '/graphql', headers: {}, socket }, socket, Buffer.alloc(0))
  }
  await until('all of them', () => count === UPGRADES)
  return [...letIn.values()]
}

it('upgrades that come together take turns', async () => {
  expect(Math.max(...(await letInTogether(() => ANYONE)))).toBeLessThanOrEqual(PER_ROUND)
})

it('and so do those whose tokens are known together, such as once the keys of a provider are there', async () => {
  let haveKeys = () => {}
  const keys = new Promise<void>((resolve) => {
    haveKeys = resolve
  })
  let asked = 0
  const together = letInTogether(async () => {
    asked++
    if (asked === UPGRADES) setImmediate(haveKeys)
    await keys
    return ANYONE
  })
  expect(Math.max(...(await together))).toBeLessThanOrEqual(PER_ROUND)
})
