import { writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { readConfig } from '../src/config.ts'
import { Trainers } from '../src/dispatch/trainers.ts'
import { trainersFile } from './support/server.ts'

describe('the configuration', () => {
  it('has a default for everything', () => {
    expect(readConfig({}, {})).toMatchObject({
      port: 4000,
      host: '127.0.0.1',
      channelPrefixes: ['gan:training', 'ml:training', 'llm:training'],
      maxStreamMs: 7_200_000,
      retainEvents: 10_000,
      retainSeconds: 604_800,
      stallMs: 120_000,
    })
  })

  it.each([
    ['PORT', '65536', /PORT is "65536"; expected a whole number from 0 to 65535/],
    ['PORT', 'http', /PORT is "http"/],
    ['HOST', '0.0.0.0', /HOST is "0\.0\.0\.0".*no authentication.*EPOCHCAST_ALLOW_ANONYMOUS=1/],
    ['EPOCHCAST_ALLOW_ANONYMOUS', 'yes', /EPOCHCAST_ALLOW_ANONYMOUS is "yes"; expected one of 0, 1/],
    ['EPOCHCAST_WORKERS', '0', /EPOCHCAST_WORKERS is "0"; expected a whole number from 1 to 64/],
    ['EPOCHCAST_WORKERS', '65', /EPOCHCAST_WORKERS is "65"/],
    ['EPOCHCAST_WORKERS', '2', /EPOCHCAST_WORKERS is 2, but REDIS_URL is not set/],
    ['EPOCHCAST_RETAIN_EVENTS', '0', /expected a whole number from 1/],
    ['EPOCHCAST_STALL_SECONDS', '-1', /EPOCHCAST_STALL_SECONDS is "-1"; expected seconds from 1/],
    ['EPOCHCAST_CHANNEL_PREFIXES', 'a b', /EPOCHCAST_CHANNEL_PREFIXES has "a b"/],
    ['EPOCHCAST_CHANNEL_PREFIXES', ',', /EPOCHCAST_CHANNEL_PREFIXES/],
    ['EPOCHCAST_LOG_LEVEL', 'loud', /expected one of debug, info/],
    ['EPOCHCAST_JWT_SECRET', 'x', /not support it yet/],
    ['REDIS_URL', 'localhost:6379', /REDIS_URL cannot be used; expected redis:/],
    ['EPOCHCAST_KEY_PREFIX', '{x}', /EPOCHCAST_KEY_PREFIX is "\{x\}"/],
  ])('refuses %s=%s by its name', (name, value, message) => {
    expect(() => readConfig({}, { [name]: value })).toThrow(message)
  })

  it('takes the edges, an empty variable as unset, and the command line before the environment', () => {
    expect(readConfig({}, { PORT: '0', EPOCHCAST_RETAIN_EVENTS: '1' })).toMatchObject({
      port: 0,
      retainEvents: 1,
    })
    expect(readConfig({}, { PORT: '65535', HOST: '' })).toMatchObject({ port: 65_535, host: '127.0.0.1' })
    expect(readConfig({ PORT: '1' }, { PORT: '2' }).port).toBe(1)
    for (const host of ['localhost', '127.0.0.2', '::1'])
      expect(readConfig({ HOST: host }, {}).host).toBe(host)
  })

  it('lets other machines in without authentication only where that was asked for', () => {
    const open = { HOST: '0.0.0.0', EPOCHCAST_ALLOW_ANONYMOUS: '1' }
    expect(readConfig({}, open)).toMatchObject({ host: '0.0.0.0', allowAnonymous: true })
    expect(readConfig({}, {}).allowAnonymous).toBe(false)
    expect(() => readConfig({}, { ...open, EPOCHCAST_ALLOW_ANONYMOUS: '0' })).toThrow(/HOST is/)
  })

  it('has several workers only with a Redis that they share', () => {
    expect(readConfig({}, {}).workers).toBe(1)
    expect(readConfig({}, { EPOCHCAST_WORKERS: '64', REDIS_URL: 'redis://localhost' }).workers).toBe(64)
  })

  it('keeps its own settings and secrets from trainers', () => {
    const { trainerEnv } = readConfig({}, { PATH: '/bin', EPOCHCAST_KEY_PREFIX: 'x', HOME: '/home' })
    expect(trainerEnv).toEqual({ PATH: '/bin', HOME: '/home' })
  })
})

describe("the trainers' configuration", () => {
  const load = (content: unknown) => {
    const file = trainersFile({})
    writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content))
    return Trainers.load(file, ['gan:training'])
  }

  it.each([
    ['text that is no JSON', '{', /cannot be read/],
    ['a trainer without a command', { trainers: { a: {} } }, /trainer "a" has no command/],
    ['an unknown launcher', { trainers: { a: { launcher: 'ssh' } } }, /launcher/],
    ['an unknown key', { trainers: { a: { comand: ['x'] } } }, /comand/],
    ['a name with a space', { trainers: { 'a b': { command: ['x'] } } }, /a b/],
    [
      'a prefix that is not allowed',
      { trainers: { a: { command: ['x'], channelPrefix: 'no' } } },
      /"no"; expected one of/,
    ],
    [
      'params that are no schema',
      { trainers: { a: { command: ['x'], params: { type: 'thing' } } } },
      /JSON Schema/,
    ],
    ['a default that is not there', { default: 'b', trainers: { a: { command: ['x'] } } }, /default is "b"/],
  ])('refuses %s', (_, content, message) => {
    expect(() => load(content)).toThrow(message)
  })

  it('refuses a file that is not there, and does without one', () => {
    expect(() => Trainers.load('/no/such/file.json', [])).toThrow(/cannot be read/)
    expect(
      Trainers.load(null, [])
        .all()
        .map(({ name }) => name),
    ).toEqual(['external'])
  })

  it('knows its default, and has external in any case', () => {
    const trainers = load({ default: 'a', trainers: { a: { command: ['x'] } } })
    expect(trainers.get(null).name).toBe('a')
    expect(trainers.all().map(({ name }) => name)).toEqual(['a', 'external'])
    expect(load({ trainers: { a: { command: ['x'] } } }).get(null).name).toBe('external')
  })
})
