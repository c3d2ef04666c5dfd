import { describe, expect, it } from 'vitest'
import { readMessage } from '../../src/bridge/message.ts'
import { timeOf as bridgeTimeOf } from '../../src/bridge/time.ts'
import { mayBeInexact, parseJson, quoteBareNumbers } from '../../src/task/json.ts'
import { isUpTo } from '../../src/task/text.ts'
import { metricOf } from '../../src/transport/plain/metric-text.ts'
import { TEXT_OF_PING } from '../../src/transport/plain/plain-connection.ts'
import { relayMessage } from '../../src/transport/plain/relay-messages.ts'
import { timeOf } from '../../src/transport/plain/relay-time.ts'
import { cpuMsOf } from '../support/cpu-time.ts'

/** The first shows what is quadratic within seconds, the last is what one message may have. */
const LENGTHS = [128_000, 1_000_000]

const within = (read: (text: string) => unknown) => (text: string) => {
  try {
    read(text)
  } catch {
    // That it is refused is for other tests.
  }
}

/** Whatever reads texts from outside by an expression, or may go through them again and again. */
const READERS: Readonly<Record<string, (text: string) => void>> = {
  'a message of a channel': within((text) => readMessage(text)),
  'a message of a relay': within((text) => relayMessage(text)),
  'bare numbers': within((text) => quoteBareNumbers(text)),
  'inexact numbers': within((text) => [mayBeInexact(text), parseJson(text)]),
  'a ping': within((text) => TEXT_OF_PING.test(text)),
  'a metric': within((text) => metricOf(text)),
  times: within((text) => [timeOf(text), bridgeTimeOf(text)]),
  'a length': within((text) => isUpTo(text, 128)),
}

/** Each begins as something that is looked for, and goes on so that another place to begin is never far. */
const TEXTS: readonly (readonly [string, string])[] = [
  ['NaN "', '\\"'],
  ['NaN "', '\\\\"'],
  ['NaN ', '"\\'],
  ['NaN ', '-'],
  ['{"type":"ping"', '} '],
  ['{"type":"ping"', '}   x'],
  ['', '\n '],
  ['[', '1.1'],
  ['[', ',1.1.1.1.1'],
  ['[', '9'],
  ['[1e', '9'],
  ['[', '0.0'],
  ['2026-01-01T00:00:00.', '0'],
  ['2026-01-01T00:00:00', '+0000'],
  ['', '\ud83d\ude00'],
]

describe('a long text from outside', () => {
  it.each(Object.entries(READERS))('is read at the speed of its length by a reader of %s', (_, read) => {
    for (const length of LENGTHS)
      for (const [start, part] of TEXTS) {
        const ofLength = (characters: number) => start + part.repeat(characters / part.length)
        const [half, whole] = [ofLength(length / 2), ofLength(length)]
        // Four times as long where it is quadratic, and by then many seconds.
        const halfMs = cpuMsOf(() => read(half))
        expect(
          cpuMsOf(() => read(whole)),
          JSON.stringify([start, part]),
        ).toBeLessThan(3 * halfMs + 200)
      }
  })
})
