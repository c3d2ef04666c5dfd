import { setImmediate as turnOfEventLoop } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { AnswerReads } from '../../src/execution/answer-reads.ts'
import { AnswerRoom, BEGIN_BELOW_SIZE } from '../../src/execution/answer-room.ts'
import { LIMITS } from '../../src/task/limits.ts'

const ONE = LIMITS.answerSize + LIMITS.answerReads

it('answers of one address have its share to the last character, and others go on beyond it', () => {
  const room = new AnswerRoom(0.5, 4 * ONE)
  const [first, second, other] = [room.begin('a'), room.begin('a'), room.begin('b')]
  first.add(ONE)
  second.add(ONE)
  expect(() => second.add(1)).toThrow(
    expect.objectContaining({
      message: `this address has ${2 * ONE + 1} characters of answers that are being made; expected at most ${2 * ONE} (EPOCHCAST_ADDRESS_SHARE of them). Try again in 1000 ms`,
      extensions: expect.objectContaining({ code: 'OVERLOADED', retryable: true, retryAfterMs: 1000 }),
    }),
  )
  other.add(ONE)
  for (const each of [first, second, other, other]) each.release()
  expect(room.size).toBe(0)
})

it('a single answer fits, however small the share', () => {
  const answer = new AnswerRoom(0.001, 2 * ONE).begin('a')
  answer.add(ONE)
  expect(() => answer.add(1)).toThrow('characters of answers that are being made')
})

it('what is read after the answer has ended is held by nobody', async () => {
  const room = new AnswerRoom(0.5, 4 * ONE)
  const answer = room.begin('a')
  const read = new AnswerReads(answer).read(
    'page',
    () => new Promise((resolve) => setImmediate(resolve)),
    () => 1000,
  )
  answer.release()
  await read
  expect(room.size).toBe(0)
})

it('what is read counts before it is written', async () => {
  const room = new AnswerRoom(0.5, 4 * ONE)
  const answer = room.begin('a')
  await new AnswerReads(answer).read(
    'page',
    async () => 'x',
    () => 1000,
  )
  expect(room.size).toBe(1000)
  answer.release()
  expect(room.size).toBe(0)
})

it('large answers of one address are made one after the other, in the order of asking; others do not wait', async () => {
  const room = new AnswerRoom(0.5, 4 * ONE)
  const begun: string[] = []
  const large = async (name: string) => {
    await room.turn('a')
    const answer = room.begin('a')
    answer.add(BEGIN_BELOW_SIZE + 1)
    begun.push(name)
    return answer
  }
  const small = room.begin('a')
  small.add(BEGIN_BELOW_SIZE)
  expect(room.isBusy('a')).toBe(false)
  const first = await large('first')
  expect([room.isBusy('a'), room.isBusy('b')]).toEqual([true, false])
  await room.turn('b')
  const second = large('second')
  const third = large('third')

  // A little less is still too much.
  small.release()
  await turnOfEventLoop()
  expect(begun).toEqual(['first'])
  first.release()
  await second
  await turnOfEventLoop()
  expect(begun).toEqual(['first', 'second'])
  ;(await second).release()
  // Not in the turn in which the one before was made.
  await Promise.resolve()
  expect(begun).toEqual(['first', 'second'])
  ;(await third).release()
  expect(begun).toEqual(['first', 'second', 'third'])
  expect([room.size, room.isBusy('a')]).toEqual([0, false])
})

it('of small answers that waited one begins in each turn of the event loop', async () => {
  const room = new AnswerRoom(0.5, 4 * ONE)
  const large = room.begin('a')
  large.add(BEGIN_BELOW_SIZE + 1)
  let begun = 0
  const all = Array.from({ length: 5 }, async () => {
    await room.turn('a')
    begun++
    return room.begin('a')
  })
  await turnOfEventLoop()
  expect(begun).toBe(0)
  const others = [room.begin('a'), room.begin('a')]
  large.release()
  for (const other of others) other.release()
  await turnOfEventLoop()
  expect(begun).toBe(1)
  await turnOfEventLoop()
  expect(begun).toBe(2)
  const answers = await Promise.all(all)
  expect([begun, room.isBusy('a')]).toEqual([5, false])
  for (const answer of answers) answer.release()
  expect(room.size).toBe(0)
})
