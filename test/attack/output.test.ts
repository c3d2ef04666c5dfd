import { createClient } from 'graphql-ws'
import { describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { dataDirectory } from '../support/data-directory.ts'
import { type Data, run, START, TASK } from '../support/graphql.ts'
import { WATCH_OUTPUT } from '../support/output.ts'
import { trainersFile } from '../support/server.ts'
import { until } from '../support/until.ts'
import { Bystander, type Seen } from './support/bystander.ts'
import { Victim } from './support/victim.ts'

/** Writes as fast as its pipe is read, and says in its result how long that took. */
const WRITE = `
  import { createWriteStream } from 'node:fs'
  const nowhere = params.silent ? createWriteStream('/dev/null') : null
  const write = (stream, chunk) => new Promise((resolve) => (nowhere ?? stream).write(chunk, resolve))
  const start = performance.now()
  const succeed = () => report({ success: { result: { ms: Math.round(performance.now() - start) } } })`

const LINES = 1_000_000
const FLOOD_MIB = 100

/** Each prints; and does the same with its output thrown away, which is what it costs the machine without us. */
const TRAINERS = {
  lines: `${WRITE}
    for (let i = 0; i < ${LINES}; i += 1000) {
      let text = ''
      for (let j = 1; j <= 1000; j++) text += (i + j) + '\\n'
      await write(process.stdout, text)
    }
    await succeed()`,
  endless: `${WRITE}
    for (let i = 0; i < 500; i++) {
      let text = ''
      while (text.length < 102400) text += i + ','
      await write(process.stdout, text)
    }
    await succeed()`,
  invalid: `${WRITE}
    const bad = Buffer.from([0x20, 0xff, 0xc3, 0x28, 0xe2, 0x82, 0xf0, 0x9f, 0x0a])
    for (let i = 1; i <= 100000; i++) await write(process.stdout, Buffer.concat([Buffer.from(String(i)), bad]))
    await succeed()`,
  flood: `${WRITE}
    const chunk = Buffer.from(('x'.repeat(99) + '\\n').repeat(10485))
    for (let i = 0; i < ${FLOOD_MIB}; i++) {
      await write(process.stderr, chunk)
      if (i % 10 === 0) await report({ progress: { current: i + 1, loss: 1 / (i + 1) } })
    }
    await succeed()`,
}

/** All lines of a task's output, by a viewer that loses its connection twice and comes back with its cursor. */
async function watchedTwiceAgain(webSocketUrl: string, taskId: string): Promise<Data[]> {
  const lines: Data[] = []
  for (const until of [50, 500, Number.POSITIVE_INFINITY]) {
    const client = createClient({ url: webSocketUrl, webSocketImpl: WebSocket, retryAttempts: 0 })
    const variables = { taskId, after: lines.at(-1)?.cursor ?? null, last: 100_000 }
    for await (const { data, errors } of client.iterate<Data>({ query: WATCH_OUTPUT, variables })) {
      if (errors) throw new Error(JSON.stringify(errors))
      lines.push(data.taskOutput)
      if (lines.length >= until) break
    }
    await client.dispose()
  }
  return lines
}

const numberOf = ({ text }: Data): number => Number.parseInt(text, 10)

/** Every line is there, or in the count of a note at its place; none is there twice. Returns how many were left out. */
function expectWhole(lines: readonly Data[], total: number): number {
  let next = 1
  let skipped = 0
  for (const line of lines) {
    if (line.skip) {
      next += line.skip.lines
      skipped += line.skip.lines
    } else expect(numberOf(line)).toBe(next++)
  }
  expect(next).toBe(total + 1)
  return skipped
}

describe.each(['memory', 'lmdb'] as const)('a trainer that prints, on the %s engine', (engine) => {
  const victim = () =>
    Victim.start(
      {
        EPOCHCAST_TRAINERS: trainersFile(TRAINERS),
        EPOCHCAST_DATA: engine === 'lmdb' ? dataDirectory() : 'none',
      },
      256,
    )
  /** What a viewer of a training gets, how long its trainer took to print, and what others saw meanwhile. */
  const watched = async ({ url, webSocketUrl }: Victim, trainer: string) => {
    const bystander = await Bystander.on(url)
    await bystander.quietly(20)
    let lines: Data[] = []
    let ms = 0
    const training = (silent: boolean) =>
      bystander.during(async () => {
        const input = { trainer, params: { silent } }
        const id: string = (await run(url, START, { input })).startTraining.task.id
        const printed = await watchedTwiceAgain(webSocketUrl, id)
        const { task } = await run(url, TASK, { id })
        expect(task.status).toBe('SUCCESS')
        if (silent) return
        lines = printed
        ms = task.result.ms
      })
    const quiet = await training(true)
    const seen = await training(false)
    await bystander.close()
    return { lines, ms, quiet, seen }
  }
  const tell = (
    what: string,
    { peakMiB }: Victim,
    ms: number,
    quiet: Seen,
    seen: Seen,
    lines: Data[],
    skipped: number,
  ) => {
    const times = ({ post, event }: Seen) =>
      [post.p50, post.p99, event.p99].map((time) => time.toFixed(1)).join(' / ')
    console.log(
      `${engine}, ${what}: printed in ${ms} ms, ${lines.length} lines delivered, ${skipped} announced as skipped; report p50 / p99, event p99: silent ${times(quiet)} ms, printing ${times(seen)} ms; peak ${peakMiB.toFixed(0)} MiB`,
    )
  }
  /** A p99 of some hundred reports is their worst few: on a busy machine less than this says nothing. */
  const NOISE_MS = 250
  const expectUnharmed = (quiet: Seen, seen: Seen) => {
    for (const kind of ['post', 'event'] as const)
      expect(seen[kind].p99, kind).toBeLessThan(Math.max(2 * quiet[kind].p99, NOISE_MS))
  }

  it.each([
    ['lines', LINES],
    ['invalid', 100_000],
  ])('%s: every line is delivered or announced, over two reconnects', async (trainer, total) => {
    const server = await victim()
    const { lines, ms, quiet, seen } = await watched(server, trainer)
    const skipped = expectWhole(lines, total)
    tell(trainer, server, ms, quiet, seen, lines, skipped)
    if (trainer === 'invalid')
      for (const { text, skip } of lines) if (!skip) expect(text).toMatch(/^\d+ \ufffd\ufffd\(\ufffd\ufffd$/)
    expectUnharmed(quiet, seen)
    expect(server.hasCrashed).toBe(false)
  })

  it('endless: what has no line end comes in pieces, in order', async () => {
    const server = await victim()
    const { lines, ms, quiet, seen } = await watched(server, 'endless')
    const pieces = lines.filter(({ skip }) => !skip)
    tell(
      'endless',
      server,
      ms,
      quiet,
      seen,
      lines,
      lines.reduce((sum, { skip }) => sum + (skip?.lines ?? 0), 0),
    )
    const numbers = pieces.map(({ text }) => Number(text.split(',')[1]))
    expect(numbers.every((number, i) => i === 0 || number >= (numbers[i - 1] as number))).toBe(true)
    expect(pieces.every(({ text }) => text.length <= 16_384)).toBe(true)
    // The last ends with the trainer.
    expect(pieces.slice(0, -1).every(({ isCut }) => isCut)).toBe(true)
    expectUnharmed(quiet, seen)
  })

  it(`flood: ${FLOOD_MIB} MiB of stderr cost bounded memory, and neither the trainer nor its metrics wait`, async () => {
    const server = await victim()
    const before = server.residentMiB
    const { lines, ms, quiet, seen } = await watched(server, 'flood')
    const skipped = lines.reduce((sum, { skip }) => sum + (skip?.lines ?? 0), 0)
    tell('flood', server, ms, quiet, seen, lines, skipped)
    expect(skipped + lines.filter(({ skip }) => !skip).length).toBe(FLOOD_MIB * 10_485)
    expect(server.peakMiB - before).toBeLessThan(120)
    const { task } = await run(
      server.url,
      'query ($id: ID!) { task(id: $id) { events(first: 1000) { edges { node { __typename } } } } }',
      { id: lines[0].taskId },
    )
    const reports = task.events.edges.filter(({ node }: Data) => node.__typename === 'ProgressUpdate')
    expect(reports).toHaveLength(FLOOD_MIB / 10)
    expectUnharmed(quiet, seen)
    await until('the server to be as before', () => server.openFiles < 100)
  })
})
