import { describe, expect, it } from 'vitest'
import { PortErrors } from '../../src/event-log/redis/errors.ts'
import { EpochcastError } from '../../src/task/errors.ts'

/** As the library makes them of a reply. */
function replyError(message: string): Error {
  const error = Object.assign(new Error(message), { command: { name: 'hset', args: ['key', 'a secret'] } })
  return Object.defineProperty(error, 'name', { value: 'ReplyError' })
}

describe('what Redis says', () => {
  it.each([
    ['LOADING Redis is loading the dataset in memory', 'Redis still reads its data'],
    ['CLUSTERDOWN The cluster is down', 'the Redis cluster cannot serve at present'],
    ['TRYAGAIN Multiple keys request during rehashing of slot', 'the Redis cluster moves its data'],
    ['MOVED 3999 127.0.0.1:6381', 'the Redis cluster moves its data'],
    ['NOAUTH Authentication required.', 'Redis refuses this server'],
    ['WRONGPASS invalid username-password pair or user is disabled.', 'Redis refuses this server'],
    [
      'ERR Error running script (call to f_ab): @user_script:30: @user_script: 30: -NOREPLICAS Not enough good replicas to write.',
      'Redis has too few replicas to take anything',
    ],
  ])('is told in words of the server: %s', (said, words) => {
    const refused: EpochcastError[] = []
    const cause = replyError(said)
    const error = new PortErrors((each) => refused.push(each)).of(cause) as EpochcastError
    expect(error).toMatchObject({
      code: 'ENGINE_UNAVAILABLE',
      message: `${words}; nothing is known to be applied, try again`,
      details: { retryAfterMs: 1000 },
    })
    expect(error.cause).toBe(cause)
    expect(refused).toEqual([error])
  })

  it.each(['WRONGTYPE Operation against a key holding the wrong kind of value', 'ERR unknown command', ''])(
    'of what only a bug can cause stays, but for what was stored: "%s"',
    (said) => {
      const cause = replyError(said)
      expect(new PortErrors(() => expect.unreachable()).of(cause)).toBe(cause)
      expect(JSON.stringify(cause)).not.toContain('a secret')
    },
  )

  it('in an error of the port is not told twice', () => {
    const error = new EpochcastError('ENGINE_UNAVAILABLE', 'away')
    expect(new PortErrors(() => expect.unreachable()).of(error)).toBe(error)
  })
})
