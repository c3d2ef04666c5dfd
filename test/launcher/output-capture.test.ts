import { once } from 'node:events'
import { PassThrough, Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { TURN_BYTES } from '../../clients/output/output-capture.ts'
import { OutputTail } from '../../clients/output/output-tail.ts'
import { Redaction } from '../../clients/output/redaction.ts'
import { OutputCapture, type OutputSink } from '../../src/launcher/output-capture.ts'
import { EpochcastError } from '../../src/task/errors.ts'
import type { OutputBatch, SentLine } from '../../src/task/output.ts'
import { range } from '../support/tasks.ts'
import { until } from '../support/until.ts'

const SECRET = 'eyJhbGciOiJIUzI1NiJ9.e30.signature'

/** A capture whose sink keeps what it takes. */
function capturing(options: { sink?: OutputSink; linesPerSecond?: number } = {}) {
  const batches: OutputBatch[] = []
  const errors: unknown[] = []
  const sink: OutputSink = async (batch) => {
    await options.sink?.(batch)
    batches.push(batch)
  }
  const capture = new OutputCapture(sink, {
    ...{ attempt: 3, secrets: [SECRET, null], linesPerSecond: options.linesPerSecond ?? 1000 },
    onError: (error) => errors.push(error),
  })
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  capture.read(stdout, 'STDOUT')
  capture.read(stderr, 'STDERR')
  return { capture, stdout, stderr, batches, errors, lines: () => batches.flatMap(({ lines }) => lines) }
}

const printedBy = (lines: readonly SentLine[]): number =>
  lines.reduce((sum, { skipped }) => sum + (skipped ?? 1), 0)

const refused = (code: ConstructorParameters<typeof EpochcastError>[0]) => new EpochcastError(code, 'x')

describe('the capture of what a trainer prints', () => {
  it('sends the lines of both streams in order, numbered, while they come and when it is closed', async () => {
    const { capture, stdout, stderr, batches, lines } = capturing()
    stdout.write('one\ntwo\n')
    await until('the first batch', () => batches.length > 0)
    stderr.write('warning\nwithout an end')
    await capture.close()
    expect(lines().map(({ stream, text, isCut, skipped }) => [stream, text, isCut, skipped])).toEqual([
      ['STDOUT', 'one', false, null],
      ['STDOUT', 'two', false, null],
      ['STDERR', 'warning', false, null],
      ['STDERR', 'without an end', false, null],
    ])
    expect(batches[0]).toMatchObject({ attempt: 3, firstSequence: 1, producer: batches[1]?.producer })
    expect(batches.at(-1)?.firstSequence).toBe(lines().length - (batches.at(-1)?.lines.length ?? 0) + 1)
  })

  it('sends what has no line end after a while', async () => {
    const { capture, stdout, lines } = capturing()
    stdout.write('Loading …')
    await until('what there is', () => lines().length > 0)
    expect(lines()).toMatchObject([{ text: 'Loading …', isCut: true }])
    await capture.close()
    expect(lines()).toHaveLength(1)
  })

  it('leaves out what is too much, in place and to the line, and keeps the end', async () => {
    const { capture, stdout, lines } = capturing({ linesPerSecond: 100 })
    const total = 300_000
    for (let i = 0; i < total; i += 1000) stdout.write(`${range(i + 1, i + 1000).join('\n')}\n`)
    await until('some of it', () => lines().length > 0)
    await once(stdout.end(), 'end')
    await capture.close()
    let next = 1
    for (const { text, skipped } of lines()) {
      if (skipped === null) expect(text).toBe(`${next}`)
      next += skipped ?? 1
    }
    expect(next).toBe(total + 1)
    expect(lines().at(-1)?.text).toBe(`${total}`)
    expect(lines().length).toBeLessThan(1000)
  })

  it('gives all else its turn after so many bytes of a pipe that is always full', async () => {
    const { capture, lines } = capturing()
    const line = `${'x'.repeat(1023)}\n`
    const chunk = Buffer.from(line.repeat(64))
    const chunks = 200
    // As a pipe is read: up to 32 times in a turn of the event loop, until nothing more is wanted.
    let isWanted = false
    const flood = new Readable({
      read: () => {
        isWanted = true
      },
    })
    let sent = 0
    let most = 0
    const turn = () => {
      let bytes = 0
      for (let i = 0; i < 32 && isWanted && sent < chunks; i++) {
        isWanted = flood.push(chunk)
        bytes += chunk.length
        sent++
      }
      most = Math.max(most, bytes)
      if (sent < chunks) setImmediate(turn)
      else flood.push(null)
    }
    capture.read(flood, 'STDERR')
    setImmediate(turn)
    await once(flood, 'end')
    await capture.close()
    // And one that is read ahead.
    expect(most).toBe(TURN_BYTES + chunk.length)
    expect(printedBy(lines())).toBe(64 * chunks)
  })

  it('sends a batch again, the same, for as long as its sink is away', async () => {
    let tries = 0
    const seen: OutputBatch[] = []
    const { capture, stdout, lines } = capturing({
      sink: async (batch) => {
        seen.push(batch)
        if (++tries <= 2) throw refused('ENGINE_UNAVAILABLE')
      },
    })
    stdout.write('one\n')
    await until('a first try', () => tries > 0)
    stdout.write('two\n')
    await until('two lines', () => lines().length === 2)
    expect(seen.slice(0, 3)).toEqual([seen[0], seen[0], seen[0]])
    expect(seen[3]).toMatchObject({ firstSequence: 2 })
    await capture.close()
  })

  it('tells how many lines a full store has cost', async () => {
    let isFull = true
    let refusals = 0
    const { capture, stdout, lines } = capturing({
      sink: async () => {
        if (!isFull) return
        refusals++
        throw refused('STORE_FULL')
      },
    })
    stdout.write('one\ntwo\n')
    await until('them to be refused', () => refusals > 0)
    isFull = false
    stdout.write('three\n')
    await capture.close()
    expect(printedBy(lines())).toBe(3)
    expect(lines().at(-1)?.text).toBe('three')
  })

  it.each(['TASK_NOT_FOUND', 'STALE_ATTEMPT'] as const)(
    'sends no more after %s, and reads on',
    async (code) => {
      let calls = 0
      const { capture, stdout, errors } = capturing({
        sink: async () => {
          calls++
          throw refused(code)
        },
      })
      stdout.write('one\n')
      await until('a refusal', () => calls > 0)
      for (const i of range(1, 100)) stdout.write(`${i} ${'x'.repeat(10_000)}\n`)
      await until('all to be read', () => stdout.readableLength === 0)
      await capture.close()
      expect([calls, errors]).toEqual([1, []])
      expect(capture.tail).toMatch(/x$/)
    },
  )

  it('tells what its sink did not expect, once', async () => {
    const { capture, stdout, errors } = capturing({
      sink: async () => {
        throw new TypeError('a bug')
      },
    })
    stdout.write('one\n')
    await until('it to be told', () => errors.length > 0)
    stdout.write('two\n')
    await capture.close()
    expect(errors).toEqual([expect.any(TypeError)])
  })

  it('is closed in time where its sink does not answer', async () => {
    const { capture, stdout } = capturing({ sink: () => new Promise(() => {}) })
    stdout.write('one\n')
    await new Promise((resolve) => setImmediate(resolve))
    await capture.close()
  })

  it('has no secret in its lines, nor in the end of what was printed', async () => {
    const { capture, stdout, lines } = capturing()
    stdout.write(`token ${SECRET.slice(0, 20)}`)
    stdout.write(`${SECRET.slice(20)}\n`)
    await capture.close()
    expect(lines()).toMatchObject([{ text: 'token [redacted]' }])
    expect(capture.tail).toBe('token [redacted]')
  })
})

it('the end of what was printed begins with no rest of a secret, wherever it is cut', () => {
  for (let before = 0; before < 200; before++) {
    const tail = new OutputTail(100, new Redaction([SECRET]))
    for (const byte of Buffer.from(`${'x'.repeat(300)}${SECRET}${'y'.repeat(before)}`))
      tail.push(Buffer.of(byte))
    expect(tail.toString().replace('[redacted]', '')).toMatch(/^…x*y*$/)
  }
})
