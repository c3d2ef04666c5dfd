import { describe, expect, it } from 'vitest'
import { readConfig } from '../src/config.ts'

const queuesOf = (env: Record<string, string>) => readConfig({}, env).queues
const REDIS_URL = 'redis://localhost'

describe('the configuration of queues', () => {
  it('is empty by default', () => {
    expect(queuesOf({})).toMatchObject({ bridge: null, celery: null })
  })

  it('listens to the Redis of its own, or that of the engine', () => {
    expect(queuesOf({ EPOCHCAST_BRIDGE: 'gan:training, ml:training,', REDIS_URL }).bridge).toEqual({
      url: REDIS_URL,
      channelPrefixes: ['gan:training', 'ml:training'],
    })
    const EPOCHCAST_BRIDGE_URL = 'redis://other'
    expect(
      queuesOf({ EPOCHCAST_BRIDGE: 'gan:training', REDIS_URL, EPOCHCAST_BRIDGE_URL }).bridge,
    ).toMatchObject({
      url: 'redis://other',
    })
  })

  it('publishes events on the same Redis, whether it listens or not', () => {
    const EPOCHCAST_BRIDGE_MIRROR = 'gan:training, ml:training, gan:training'
    expect(queuesOf({ EPOCHCAST_BRIDGE_MIRROR, REDIS_URL })).toMatchObject({
      bridge: null,
      mirror: { url: REDIS_URL, channelPrefixes: ['gan:training', 'ml:training'] },
    })
    expect(queuesOf({ EPOCHCAST_BRIDGE: 'gan:training', REDIS_URL }).mirror).toBeNull()
  })

  it('has the results where the broker is, unless it says otherwise', () => {
    expect(queuesOf({ EPOCHCAST_CELERY_BROKER: 'redis://b/1' }).celery).toEqual({
      brokerUrl: 'redis://b/1',
      backendUrl: 'redis://b/1',
    })
    expect(
      queuesOf({ EPOCHCAST_CELERY_BROKER: 'redis://b', EPOCHCAST_CELERY_BACKEND: 'redis://c' }).celery,
    ).toMatchObject({ backendUrl: 'redis://c' })
  })

  it.each([
    [{ EPOCHCAST_BRIDGE: 'gan:training' }, /EPOCHCAST_BRIDGE is set, but there is no Redis/],
    [
      { EPOCHCAST_BRIDGE: 'gan', REDIS_URL },
      /EPOCHCAST_BRIDGE has "gan"; expected some of EPOCHCAST_CHANNEL_PREFIXES/,
    ],
    [
      { EPOCHCAST_BRIDGE_MIRROR: 'gan:training' },
      /EPOCHCAST_BRIDGE_MIRROR is set, but there is no Redis to publish on/,
    ],
    [
      { EPOCHCAST_BRIDGE_MIRROR: 'gan:training,gan', REDIS_URL },
      /EPOCHCAST_BRIDGE_MIRROR has "gan"; expected some of EPOCHCAST_CHANNEL_PREFIXES/,
    ],
    [{ EPOCHCAST_BRIDGE: 'gan:training', EPOCHCAST_BRIDGE_URL: 'x' }, /EPOCHCAST_BRIDGE_URL cannot be used/],
    [{ EPOCHCAST_CELERY_BROKER: 'amqp://x' }, /EPOCHCAST_CELERY_BROKER cannot be used; expected redis:/],
    [{ EPOCHCAST_CELERY_BROKER: 'redis+cluster://a,b' }, /EPOCHCAST_CELERY_BROKER is a Redis Cluster/],
    [
      { EPOCHCAST_CELERY_BACKEND: 'redis://c' },
      /EPOCHCAST_CELERY_BACKEND is set, but EPOCHCAST_CELERY_BROKER is not/,
    ],
  ])('refuses %j', (env, message) => {
    expect(() => queuesOf(env)).toThrow(message)
  })
})
