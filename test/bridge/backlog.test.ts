import { beforeEach, expect, it } from 'vitest'
import { Backlog } from '../../src/bridge/backlog.ts'

let dropped: number
let backlog: Backlog
beforeEach(() => {
  dropped = 0
  backlog = new Backlog({ maxBytes: 1000, maxChannels: 3 }, () => dropped++)
})

const add = (id: string, message: string, receivedAt = 0) =>
  backlog.add(
    {
      key: { channelPrefix: 'p', id },
      report: { status: { status: 'RUNNING', message } },
      machineId: null,
      receivedAt,
    },
    50,
  )
const messages = (id: string) => backlog.of(`p:${id}`).map(({ report }) => report.status?.message)

it('a backlog keeps the messages of each channel in order', () => {
  add('a', '1')
  add('b', '2')
  add('a', '3')
  expect([messages('a'), messages('b'), messages('c')]).toEqual([['1', '3'], ['2'], []])
  backlog.remove('p:a', backlog.of('p:a').slice(0, 1))
  expect([messages('a'), backlog.size]).toEqual([['3'], 2])
  backlog.remove('p:a', backlog.of('p:a'))
  expect([backlog.channels, backlog.size]).toEqual([['p:b'], 1])
})

it('a backlog takes as many bytes as it may, and then drops the oldest of all channels', () => {
  for (const [id, message] of [
    ['a', '1'],
    ['b', '2'],
    ['a', '3'],
    ['b', '4'],
  ] as const)
    add(id, message)
  // Four times 250 bytes are 1000.
  expect([dropped, backlog.size]).toEqual([0, 4])
  add('b', '5')
  expect([dropped, messages('a'), messages('b')]).toEqual([1, ['3'], ['2', '4', '5']])
})

it('a backlog of too many channels drops the oldest messages', () => {
  for (const id of ['a', 'b', 'c']) add(id, id)
  expect(dropped).toBe(0)
  add('d', 'd')
  expect([dropped, backlog.channels]).toEqual([1, ['p:b', 'p:c', 'p:d']])
})

it('a backlog forgets what came before a time, and what was dropped while it was reported does no harm', () => {
  add('a', '1', 10)
  add('b', '2', 20)
  add('a', '3', 30)
  const batch = backlog.of('p:a').slice()
  backlog.trim(20)
  expect([messages('a'), messages('b'), dropped]).toEqual([['3'], ['2'], 0])
  backlog.remove('p:a', batch)
  expect(backlog.channels).toEqual(['p:b'])
  backlog.clear()
  add('a', '4')
  expect([backlog.size, messages('a'), messages('b')]).toEqual([1, ['4'], []])
})
