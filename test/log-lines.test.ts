import { Writable } from 'node:stream'
import fc from 'fast-check'
import { pino } from 'pino'
import { build as pretty } from 'pino-pretty'
import { expect, it } from 'vitest'
import { escapedJson, visibleJson } from '../src/log-lines.ts'

const STEERING = /(?!\n)[\p{Cc}\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/u

const FORGED = '\n[12:00:00] INFO: forged\r\n{"level":30,"msg":"forged"}\n'
const EVIL = `a${FORGED}\u001b[2J\u009b31m\u0085\u2028b\u2029c\u007f\u202ed\t\u0000e`

/** Texts with many of what matters among them. */
const text = fc.oneof(
  fc.constant(EVIL),
  fc.string({
    unit: fc.constantFrom(
      '\n',
      '\r',
      '\u001b[31m',
      '\u009b',
      '\u0085',
      '\u2028',
      '\u202e',
      'a',
      '"',
      '\\',
      'é',
      '😀',
    ),
  }),
)

const jsonLog = () => {
  const seen = { text: '' }
  const logger = pino(
    { level: 'trace' },
    escapedJson({
      write: (line) => {
        seen.text += line
      },
    }),
  )
  return { logger, seen }
}

const prettyLog = () => {
  const seen = { text: '' }
  const destination = new Writable({
    write: (chunk, _encoding, done) => {
      seen.text += chunk
      done()
    },
  })
  const lines = pretty({
    colorize: false,
    ignore: 'pid,hostname,worker',
    messageFormat: '{if worker}worker {worker}: {end}{msg}',
    translateTime: 'SYS:HH:MM:ss',
    destination,
  })
  return { logger: pino({ level: 'trace' }, visibleJson(lines)), seen, lines }
}

it('in JSON, a text of a client is one line, its own value, and nothing that steers', () => {
  fc.assert(
    fc.property(text, text, (a, b) => {
      const { logger, seen } = jsonLog()
      const values = { text: a, list: [b, { [b]: a }] }
      logger.child({ bound: b }).warn({ ...values, err: new Error(a) }, b)
      const lines = seen.text.split('\n')
      expect(lines).toHaveLength(2)
      expect(lines[0]).not.toMatch(STEERING)
      expect(JSON.parse(lines[0] as string)).toMatchObject({
        ...values,
        bound: b,
        msg: b,
        err: { message: a },
      })
    }),
  )
})

it('on a terminal, a text of a client begins no line and steers nothing', async () => {
  const { logger, seen, lines } = prettyLog()
  logger.warn(
    { text: EVIL, [EVIL]: EVIL, list: [EVIL], deep: { a: { b: EVIL } }, err: new Error(EVIL) },
    EVIL,
  )
  logger.child({ worker: EVIL }).error(EVIL)
  logger.info(new Error(EVIL))
  await new Promise((resolve) => lines.end(resolve))
  expect(seen.text).not.toMatch(STEERING)
  // Lines of ours, and what belongs to them, which is indented.
  for (const line of seen.text.trimEnd().split('\n'))
    expect(line).toMatch(/^(\[\d\d:\d\d:\d\d\] (WARN|ERROR|INFO): | {4})/)
  expect(seen.text.match(/^\[/gm)).toHaveLength(3)
  expect(seen.text).toContain('a\\n[12:00:00] INFO: forged')
})

it('on a terminal, a stack stays readable', async () => {
  const { logger, seen, lines } = prettyLog()
  logger.error({ err: new Error('broken') }, 'it failed')
  await new Promise((resolve) => lines.end(resolve))
  expect(seen.text).toMatch(/\n {6}"stack":\n {10}Error: broken\n +at /)
})
