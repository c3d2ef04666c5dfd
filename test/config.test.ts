import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type Config, ConfigError, readConfig } from '../src/config.ts'
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
    ...[
      'https://app.example/',
      'https://App.example',
      'http://a b',
      'null',
      '*',
      'app.example',
      'http://a:80',
      '//a',
    ].map((origin): [string, string, RegExp] => [
      'EPOCHCAST_ALLOWED_ORIGINS',
      `loopback,${origin}`,
      /^EPOCHCAST_ALLOWED_ORIGINS has ".*"; expected loopback, or origins such as https:\/\/app\.example, without a path/,
    ]),
    ['EPOCHCAST_JWT_SECRET', 'x'.repeat(31), /EPOCHCAST_JWT_SECRET is shorter than 32 bytes;(?!.*xxx)/],
    ['EPOCHCAST_JWKS_URL', 'http://keys.example/', /EPOCHCAST_JWKS_URL is not usable; expected an https URL/],
    ['EPOCHCAST_JWKS_URL', 'https://keys.example/', /is set, but EPOCHCAST_TOKEN_SECRET is not/],
    ['EPOCHCAST_JWT_PUBLIC_KEY', 'a.pem', /is set, but EPOCHCAST_TOKEN_SECRET is not/],
    [
      'EPOCHCAST_TOKEN_SECRET',
      'x'.repeat(32),
      /EPOCHCAST_TOKEN_SECRET is set, and EPOCHCAST_JWT_SECRET, .* are not/,
    ],
    [
      'EPOCHCAST_JWT_ALGORITHMS',
      'RS256,none',
      /EPOCHCAST_JWT_ALGORITHMS has another than RS256, ES256, EdDSA/,
    ],
    ['EPOCHCAST_JWT_AUDIENCE', 'train', /EPOCHCAST_JWT_AUDIENCE is set, and/],
    ['EPOCHCAST_PUBLIC_URL', 'train.example', /EPOCHCAST_PUBLIC_URL is "train.example"; expected a URL/],
    ['EPOCHCAST_FSYNC', 'yes', /EPOCHCAST_FSYNC is "yes"; expected one of 0, 1/],
    ['REDIS_URL', 'localhost:6379', /REDIS_URL cannot be used; expected redis:/],
    ['EPOCHCAST_KEY_PREFIX', '{x}', /EPOCHCAST_KEY_PREFIX is "\{x\}"/],
  ])('refuses %s=%s by its name', (name, value, message) => {
    expect(() => readConfig({}, { [name]: value })).toThrow(message)
  })

  it.each<[name: string, field: keyof Config, smallest: number, largest: number, fallback: number]>([
    ['PORT', 'port', 0, 65_535, 4000],
    ['EPOCHCAST_WORKERS', 'workers', 1, 64, 1],
    ['EPOCHCAST_RETAIN_EVENTS', 'retainEvents', 1, 10_000_000, 10_000],
    ['EPOCHCAST_RETAIN_SECONDS', 'retainSeconds', 1, 315_360_000, 604_800],
    ['EPOCHCAST_CURVE_BYTES', 'curveBytes', 262_144, 1_073_741_824, 8_388_608],
    ['EPOCHCAST_MEMORY_BYTES', 'memoryBytes', 65_536, 1_099_511_627_776, 268_435_456],
    ['EPOCHCAST_DATA_BYTES', 'dataBytes', 1_048_576, 1_125_899_906_842_624, 10_737_418_240],
    ['EPOCHCAST_MAX_BODY_BYTES', 'maxBodyBytes', 1024, 1_073_741_824, 1_048_576],
    ['EPOCHCAST_MAX_SUBSCRIPTIONS_PER_SOCKET', 'maxSubscriptionsPerSocket', 1, 65_536, 128],
    ['EPOCHCAST_MAX_SUBSCRIPTIONS', 'maxSubscriptions', 1, 10_000_000, 20_000],
    ['EPOCHCAST_MAX_BUFFERED_BYTES', 'maxBufferedBytes', 4096, 16_777_216, 65_536],
    ['EPOCHCAST_LOCAL_CONCURRENCY', 'localConcurrency', 1, 256, 2],
    ['EPOCHCAST_LOCAL_QUEUE', 'localQueue', 0, 100_000, 100],
  ])('takes %s as a whole number within its bounds only', (name, field, smallest, largest, fallback) => {
    const read = (value: string) => readConfig({}, { REDIS_URL: 'redis://localhost', [name]: value })[field]
    expect(read(String(smallest))).toBe(smallest)
    expect(read(` ${largest} `)).toBe(largest)
    for (const blank of ['', ' \t']) expect(read(blank)).toBe(fallback)
    const wrong = [
      smallest - 1,
      largest + 1,
      `${smallest}.5`,
      `${smallest}.0`,
      '1e3',
      '0x10',
      '+1',
      'NaN',
      '1 2',
    ]
    for (const value of wrong.map(String)) {
      const message = `${name} is "${value}"; expected a whole number from ${smallest} to ${largest}`
      expect(() => read(value)).toThrow(new ConfigError(message))
    }
  })

  it.each<[name: string, field: keyof Config, smallest: number, largest: number, fallback: number]>([
    ['EPOCHCAST_REDIS_TIMEOUT_SECONDS', 'redisTimeoutMs', 0.1, 60, 3],
    ['EPOCHCAST_ENGINE_WAIT_SECONDS', 'engineWaitMs', 0, 3600, 30],
    ['EPOCHCAST_MAX_STREAM_SECONDS', 'maxStreamMs', 1, 604_800, 7200],
    ['EPOCHCAST_STALL_SECONDS', 'stallMs', 1, 86_400, 120],
    ['EPOCHCAST_ABANDON_SECONDS', 'abandonMs', 1, 31_536_000, 86_400],
    ['EPOCHCAST_SERVER_LEASE_SECONDS', 'serverLeaseMs', 0.5, 3600, 15],
    ['EPOCHCAST_KEEP_ALIVE_SECONDS', 'keepAliveMs', 1, 3600, 12],
    ['EPOCHCAST_CONNECTION_INIT_SECONDS', 'connectionInitMs', 0.1, 3600, 10],
    ['EPOCHCAST_HTTP_KEEP_ALIVE_SECONDS', 'httpKeepAliveMs', 1, 3600, 65],
    ['EPOCHCAST_STOP_GRACE_SECONDS', 'stopGraceMs', 0, 86_400, 30],
    ['EPOCHCAST_KILL_GRACE_SECONDS', 'killGraceMs', 0, 3600, 10],
  ])('takes %s as seconds within its bounds only', (name, field, smallest, largest, fallback) => {
    const read = (value: string) => readConfig({}, { [name]: value })[field]
    expect(read(String(smallest))).toBe(smallest * 1000)
    expect(read(` ${largest} `)).toBe(largest * 1000)
    expect(read('1.5')).toBe(1500)
    for (const blank of ['', ' \t']) expect(read(blank)).toBe(fallback * 1000)
    const wrong = [(smallest - 0.001).toFixed(3), `${largest}.001`, '1.', '.5', '1e1', '0x10', '+1', '3s']
    for (const value of wrong) {
      const message = `${name} is "${value}"; expected seconds from ${smallest} to ${largest}`
      expect(() => read(value)).toThrow(new ConfigError(message))
    }
  })

  it.each([
    ['EPOCHCAST_STOP_DELAY_SECONDS', 'stopDelayMs', 600, 0],
    ['EPOCHCAST_DRAIN_SECONDS', 'drainMs', 600, 5],
  ] as const)('takes %s as seconds within its bounds only', (name, field, largest, fallback) => {
    const read = (value: string) => readConfig({}, { [name]: value }).operation[field]
    expect([read('0'), read(`${largest}`), read('')]).toEqual([0, largest * 1000, fallback * 1000])
    for (const value of [`${largest}.001`, '-1', '3s'])
      expect(() => read(value)).toThrow(`${name} is "${value}"; expected seconds from 0 to ${largest}`)
  })

  it('takes the limits of clients within their bounds only, each by its name', () => {
    const read = (name: string, value: string) => readConfig({}, { [name]: value }).clients
    expect(readConfig({}, {}).clients).toEqual({
      trustedProxies: [],
      forwardedHeader: 'x-forwarded-for',
      addressShare: 0.5,
      maxConnections: 20_000,
      maxWaitingBytes: 134_217_728,
      maxReceivedBytes: 134_217_728,
      maxQueries: 512,
      headersMs: 20_000,
      requestMs: 60_000,
      writeTimeoutMs: 30_000,
      operationsPerSecond: 500,
      mutationsPerSecond: 4000,
      stateValuesPerSecond: 3000,
      relayQuietMs: 600_000,
    })
    expect(read('EPOCHCAST_TRUSTED_PROXIES', '10.0.0.0/8, ::1,2001:db8::/32').trustedProxies).toEqual([
      '10.0.0.0/8',
      '::1',
      '2001:db8::/32',
    ])
    for (const wrong of ['proxy.example', '10.0.0.0/33', '10.0.0.0/8/9', '::1/129', '10.0.0.0/', '10.0.0/8'])
      expect(() => read('EPOCHCAST_TRUSTED_PROXIES', wrong)).toThrow(
        `EPOCHCAST_TRUSTED_PROXIES has "${wrong}"; expected a comma-separated list of addresses and CIDRs`,
      )
    for (const wrong of ['0', '1.1', '.5', '50%'])
      expect(() => read('EPOCHCAST_ADDRESS_SHARE', wrong)).toThrow(
        `EPOCHCAST_ADDRESS_SHARE is "${wrong}"; expected a number from 0.01 to 1`,
      )
    for (const [name, wrong] of [
      ['EPOCHCAST_MAX_CONNECTIONS', '9'],
      ['EPOCHCAST_MAX_WAITING_BYTES', '1048575'],
      ['EPOCHCAST_MAX_RECEIVED_BYTES', '65535'],
      ['EPOCHCAST_MAX_QUERIES', '1'],
      ['EPOCHCAST_HEADERS_SECONDS', '0'],
      ['EPOCHCAST_REQUEST_SECONDS', '3601'],
      ['EPOCHCAST_WRITE_TIMEOUT_SECONDS', '0'],
      ['EPOCHCAST_OPERATIONS_PER_SECOND', '0'],
      ['EPOCHCAST_MUTATIONS_PER_SECOND', '0'],
      ['EPOCHCAST_STATE_VALUES_PER_SECOND', '9'],
      ['EPOCHCAST_RELAY_QUIET_SECONDS', '0'],
      ['EPOCHCAST_FORWARDED_HEADER', 'x-real-ip'],
    ] as const)
      expect(() => read(name, wrong)).toThrow(`${name} is "${wrong}"; expected`)
    // The headers are a part of the request.
    expect(read('EPOCHCAST_REQUEST_SECONDS', '5')).toMatchObject({ headersMs: 5000, requestMs: 5000 })
  })

  it('has no bound for streams of states, unless one is given', () => {
    const read = (value: string) =>
      readConfig({}, { EPOCHCAST_MAX_STATE_STREAM_SECONDS: value }).maxStateStreamMs
    expect([read(''), read('0'), read('1.5'), read('604800')]).toEqual([null, null, 1500, 604_800_000])
    expect(() => read('604801')).toThrow(/EPOCHCAST_MAX_STATE_STREAM_SECONDS is "604801"; expected seconds/)
  })

  it('keeps tasks in a directory, in memory where it is none, and on Redis where there is one', () => {
    const engineOf = (env: Record<string, string>) => readConfig({}, env).engine
    expect(engineOf({})).toEqual({ name: 'lmdb', path: resolve('.epochcast') })
    expect(engineOf({ EPOCHCAST_DATA: '/var/lib/epochcast' })).toEqual({
      name: 'lmdb',
      path: '/var/lib/epochcast',
    })
    expect(engineOf({ EPOCHCAST_DATA: './none' })).toEqual({ name: 'lmdb', path: resolve('none') })
    expect(engineOf({ EPOCHCAST_DATA: 'none' })).toEqual({ name: 'memory' })
    const url = 'redis://localhost'
    for (const data of ['', 'none', 'runs'])
      expect(engineOf({ EPOCHCAST_DATA: data, REDIS_URL: url })).toEqual({ name: 'redis', url })
  })

  it('takes a blank variable as unset', () => {
    const { trainerEnv: _, ...defaults } = readConfig({}, {})
    const names = [
      'HOST',
      'REDIS_URL',
      'EPOCHCAST_ALLOW_ANONYMOUS',
      'EPOCHCAST_DATA',
      'EPOCHCAST_FSYNC',
      'EPOCHCAST_KEY_PREFIX',
      'EPOCHCAST_LOG_LEVEL',
      'EPOCHCAST_CHANNEL_PREFIXES',
      'EPOCHCAST_ALLOWED_ORIGINS',
      'EPOCHCAST_COMPRESSION',
    ]
    for (const name of names) expect(readConfig({}, { [name]: ' ' }), name).toMatchObject(defaults)
    for (const name of ['EPOCHCAST_TRAINERS', 'EPOCHCAST_JWT_SECRET', 'EPOCHCAST_JWKS_URL'])
      expect(readConfig({}, { [name]: '' }), name).toMatchObject(defaults)
  })

  it('takes the origins of pages and of apps as browsers write them', () => {
    const origins = ['loopback', 'https://app.example', 'http://localhost:3000', 'capacitor://localhost']
    expect(readConfig({}, { EPOCHCAST_ALLOWED_ORIGINS: origins.join(', ') }).allowedOrigins).toEqual(origins)
  })

  it('takes prefixes of up to 64 characters', () => {
    const [longest, tooLong] = ['x'.repeat(64), 'x'.repeat(65)]
    const long = readConfig(
      {},
      { EPOCHCAST_KEY_PREFIX: longest, EPOCHCAST_CHANNEL_PREFIXES: `a, ${longest},` },
    )
    expect(long).toMatchObject({ keyPrefix: longest, channelPrefixes: ['a', longest] })
    expect(Object.isFrozen(long.channelPrefixes)).toBe(true)
    expect(() => readConfig({}, { EPOCHCAST_KEY_PREFIX: tooLong })).toThrow(
      `EPOCHCAST_KEY_PREFIX is "${tooLong}"; expected at most 64`,
    )
    expect(() => readConfig({}, { EPOCHCAST_CHANNEL_PREFIXES: `a,${tooLong}` })).toThrow(
      `EPOCHCAST_CHANNEL_PREFIXES has "${tooLong}"; expected a comma-separated list`,
    )
    expect(() => readConfig({}, { EPOCHCAST_CHANNEL_PREFIXES: ',' })).toThrow(
      /^EPOCHCAST_CHANNEL_PREFIXES has ""; /,
    )
  })

  const problemsOf = (env: Record<string, string>): readonly string[] => {
    try {
      readConfig({}, env)
    } catch (error) {
      if (error instanceof ConfigError) return error.problems
      throw error
    }
    return []
  }

  it('tells every problem at once, one for each variable', () => {
    expect(problemsOf({ PORT: 'http', EPOCHCAST_WORKERS: '65', EPOCHCAST_COMPRESSION: 'on' })).toEqual([
      'PORT is "http"; expected a whole number from 0 to 65535',
      'EPOCHCAST_WORKERS is "65"; expected a whole number from 1 to 64',
      'EPOCHCAST_COMPRESSION is "on"; expected one of 0, 1',
    ])
    expect(problemsOf({ EPOCHCAST_CHANNEL_PREFIXES: `${' b'.repeat(40)}a` })).toHaveLength(1)
  })

  it('tells every contradiction at once, of usable values only', () => {
    expect(problemsOf({ HOST: '::', EPOCHCAST_WORKERS: '2' })).toEqual([
      expect.stringMatching(/^HOST is "::", which other machines can reach/),
      expect.stringMatching(/^EPOCHCAST_WORKERS is 2, but REDIS_URL is not set/),
    ])
    expect(problemsOf({ EPOCHCAST_WORKERS: '2', REDIS_URL: 'http://localhost' })).toEqual([
      expect.stringMatching(/^REDIS_URL cannot be used/),
    ])
  })

  it('repeats no secret', () => {
    const problems = problemsOf({ REDIS_URL: 'redis://user:hush@', EPOCHCAST_JWT_SECRET: 'hush' })
    expect(problems).toHaveLength(2)
    expect(problems.join()).not.toContain('hush')
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

  it('passes trainers what a program needs to run, and what is asked for, and no secrets', () => {
    const runs = { PATH: '/bin', HOME: '/home', LC_ALL: 'C', CUDA_VISIBLE_DEVICES: '0', PYTHONPATH: '/lib' }
    const secret = {
      DATABASE_URL: 'postgres://u:p@h',
      AWS_SECRET_ACCESS_KEY: 's',
      HF_TOKEN: 's',
      HTTPS_PROXY: 'http://u:p@h',
      PATHS: 's',
      path: 's',
    }
    const own = { EPOCHCAST_KEY_PREFIX: 'x', REDIS_URL: 'redis://:p@localhost' }
    const read = (EPOCHCAST_TRAINER_ENV: string) =>
      readConfig({}, { ...runs, ...secret, ...own, EPOCHCAST_TRAINER_ENV }).trainerEnv
    expect(read('').pick()).toEqual(runs)
    expect(read(' AWS_*, HTTPS_PROXY,ABSENT').pick(['HF_TOKEN'])).toEqual({
      ...runs,
      AWS_SECRET_ACCESS_KEY: 's',
      HTTPS_PROXY: 'http://u:p@h',
      HF_TOKEN: 's',
    })
    expect(read('*').pick()).toEqual({ ...runs, ...secret })
    expect(read('REDIS_URL').pick()).toEqual({ ...runs, REDIS_URL: own.REDIS_URL })
    expect(read('EPOCH*').pick()).toEqual(runs)
    for (const value of ['A=b', 'EPOCHCAST_TOKEN', 'EPOCHCAST_*', '*_KEY', 'A*B', '1A', 'é'])
      expect(() => read(value), value).toThrow(
        /^EPOCHCAST_TRAINER_ENV has something that is no name; expected names of variables/,
      )
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
    [
      'a local trainer without a command',
      { trainers: { a: {} } },
      /trainer "a": it has no command; expected a list of program and arguments/,
    ],
    ['a command that is empty', { trainers: { a: { command: [] } } }, /trainer "a": it has no command/],
    [
      'an unknown launcher',
      { trainers: { a: { launcher: 'ssh', command: ['x'] } } },
      /trainer "a": launcher is "ssh"; expected one of "local", "external"/,
    ],
    [
      'what belongs to another launcher',
      { trainers: { a: { launcher: 'external', command: ['x'] } } },
      /trainer "a": .*"command"/,
    ],
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
    [
      'a variable with its value',
      { trainers: { a: { command: ['x'], passEnv: ['KEY=secret'] } } },
      /^(?!.*secret).*trainer "a": expected names of variables .*\(at passEnv\.0\)/,
    ],
    ['a default that is not there', { default: 'b', trainers: { a: { command: ['x'] } } }, /default is "b"/],
  ])('refuses %s', (_, content, message) => {
    expect(() => load(content)).toThrow(message)
  })

  it('tells every problem at once', () => {
    const content = { trainers: { a: { launcher: 'ssh' }, b: { command: ['x'], cwd: 7 }, c: 5 }, defalt: 'a' }
    expect(() => load(content)).toThrow(/"a": .*\n.*"b": .*\(at cwd\)\n.*"c": .*\n.*"defalt"/)
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
