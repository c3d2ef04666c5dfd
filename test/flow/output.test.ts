import { expect, it } from 'vitest'
import { LIMITS } from '../../src/task/limits.ts'
import { describeEngines } from '../support/engines.ts'
import {
  collect,
  type Data,
  post,
  type Result,
  refusal,
  report,
  run,
  startExternal,
  webSocketClient,
} from '../support/graphql.ts'
import { print, REPORT_OUTPUT, WATCH_OUTPUT } from '../support/output.ts'
import { range } from '../support/tasks.ts'
import { until } from '../support/until.ts'

const OUTPUT = /* GraphQL */ `
  query ($id: ID!, $first: Int, $after: Cursor, $last: Int) {
    task(id: $id) {
      output(first: $first, after: $after, last: $last) {
        edges { cursor node { cursor text skip { lines reason } } }
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
      }
    }
  }`

const linesOf = (results: readonly Result[]): Data[] => results.map(({ data }) => data.taskOutput)
const textsOf = (results: readonly Result[]): string[] => linesOf(results).map(({ text }) => text)

/** Ends are waited for in each test. */
const QUIET = { EPOCHCAST_OUTPUT_QUIET_SECONDS: '0.3' }

describeEngines((openServer) => {
  const open = (env = {}) => openServer({ ...QUIET, ...env })

  it('a viewer gets every line in order, while it is printed and after it has come back, up to the end', async () => {
    const { url, webSocketUrl } = await open()
    const id = await startExternal(url)
    await print(url, id, ['before'])
    const seen: Result[] = []
    const first = webSocketClient(webSocketUrl)
    const watched = collect(first, WATCH_OUTPUT, { taskId: id, last: 10 }, (result) => seen.push(result))
    await until('the replay', () => seen.length === 1)
    await print(url, id, ['live 1', 'live 2'])
    await until('the live lines', () => seen.length === 3)
    await first.dispose()
    await watched.catch(() => {})
    await print(url, id, range(1, 600).map(String))
    const { cursor } = linesOf(seen).at(-1)
    const rest = collect(webSocketClient(webSocketUrl), WATCH_OUTPUT, { taskId: id, after: cursor, last: 5 })
    await report(url, id, { success: {} })
    // What a process still prints after it has reported its end belongs to it.
    await print(url, id, ['after the end'])
    expect([...textsOf(seen), ...textsOf(await rest)]).toEqual([
      ...['before', 'live 1', 'live 2'],
      ...range(1, 600).map(String),
      'after the end',
    ])
    // Who comes later gets what was asked for, and the completion.
    const late = await collect(webSocketClient(webSocketUrl), WATCH_OUTPUT, { taskId: id, last: 2 })
    expect(textsOf(late)).toEqual(['600', 'after the end'])
  })

  it('a line has all that was said of it', async () => {
    const { url, webSocketUrl } = await open()
    const id = await startExternal(url)
    const timestamp = '2026-11-29T10:00:00.000Z'
    const text = '\u001b[31mloss\u001b[0m \ud83d\ude00 \u0000 \ud800'
    const lines = [
      { text, stream: 'STDERR', timestamp, member: 'rank-1', isCut: true },
      { text: '', skipped: 7 },
      { text: 'é'.repeat(LIMITS.outputLineBytes) },
    ]
    await run(url, REPORT_OUTPUT, { input: { taskId: id, lines } })
    await report(url, id, { success: {} })
    const [line, note, long] = linesOf(
      await collect(webSocketClient(webSocketUrl), WATCH_OUTPUT, { taskId: id, last: 10 }),
    )
    expect(line).toEqual({
      ...{
        taskId: id,
        cursor: expect.any(String),
        timestamp,
        stream: 'STDERR',
        member: 'rank-1',
        isCut: true,
      },
      ...{ text: text.replace('\ud800', '\ufffd'), skip: null },
    })
    expect(note).toMatchObject({
      ...{ stream: null, text: '[7 lines were skipped: there were too many at once]' },
      skip: { lines: 7, reason: 'FLOOD' },
    })
    expect(long).toMatchObject({ text: 'é'.repeat(LIMITS.outputLineBytes / 2), isCut: true })
  })

  it('what is no longer kept is announced, to a stream and to a page', async () => {
    const { url, webSocketUrl } = await open({ EPOCHCAST_OUTPUT_LINES: '100' })
    const id = await startExternal(url)
    const { cursor } = await print(url, id, ['first'])
    for (const i of range(0, 9))
      await print(
        url,
        id,
        range(1, 50).map((j) => `${50 * i + j}`),
      )
    const page = async (variables: object): Promise<Data> =>
      (await run(url, OUTPUT, { id, ...variables })).task.output
    const { edges, pageInfo } = await page({ after: cursor, first: 3 })
    const { lines } = edges[0].node.skip
    expect(lines).toBeGreaterThanOrEqual(400)
    expect(edges[0].node).toMatchObject({
      text: `[${lines} lines were skipped: they are no longer kept]`,
      skip: { reason: 'TRIMMED' },
    })
    expect(edges.slice(1).map(({ node }: Data) => node.text)).toEqual([`${lines + 1}`, `${lines + 2}`])
    expect(pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: true })
    await report(url, id, { success: {} })
    const watched = linesOf(
      await collect(webSocketClient(webSocketUrl), WATCH_OUTPUT, { taskId: id, after: cursor }),
    )
    expect(watched[0]).toMatchObject({ skip: { lines, reason: 'TRIMMED' }, cursor: edges[0].cursor })
    expect(watched.slice(1).map(({ text }) => Number(text))).toEqual(range(lines + 1, 500))
    // Fewer than were asked for by number is no loss to announce.
    const all = await page({ first: 1000, last: 1000 })
    expect(all.edges.map(({ node }: Data) => node.text)).toEqual(range(lines + 1, 500).map(String))
    const last = await page({ last: 3 })
    expect(last.edges.map(({ node }: Data) => node.text)).toEqual(['498', '499', '500'])
    expect(last.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true })
  })

  it('a call that is repeated counts once; one that is another is refused', async () => {
    const { url } = await open()
    const id = await startExternal(url)
    const send = (firstSequence: number, texts: string[], more: object = {}) =>
      post(url, REPORT_OUTPUT, {
        input: {
          taskId: id,
          lines: texts.map((text) => ({ text })),
          producer: 'p-1',
          firstSequence,
          ...more,
        },
      })
    const told = async (sent: Promise<Result>) => {
      const { data, errors } = await sent
      if (errors) return errors[0]?.extensions.code
      return [data.reportOutput.accepted, data.reportOutput.duplicates]
    }
    expect(await told(send(1, ['a', 'b']))).toEqual([2, 0])
    expect(await told(send(1, ['a', 'b']))).toEqual([0, 2])
    expect(await told(send(1, ['a', 'b', 'c']))).toEqual([1, 2])
    expect(await told(send(2, ['x', 'c']))).toBe('SEQUENCE_CONFLICT')
    expect(await told(send(9, ['x']))).toBe('SEQUENCE_GAP')
    expect(await told(send(1, ['second attempt'], { attempt: 2 }))).toEqual([1, 0])
    await report(url, id, { progress: { current: 1 } })
    const { edges } = (await run(url, OUTPUT, { id })).task.output
    expect(edges.map(({ node }: Data) => node.text)).toEqual(['a', 'b', 'c', 'second attempt'])
  })

  it('is no sign of life, and no event', async () => {
    const { url } = await open()
    const id = await startExternal(url)
    const before = await run(url, '{ tasks { edges { node { status updatedAt cursor } } } }')
    await print(url, id, ['a'])
    expect(await run(url, '{ tasks { edges { node { status updatedAt cursor } } } }')).toEqual(before)
  })

  it('says what is wrong with a call', async () => {
    const { url, webSocketUrl } = await open({ EPOCHCAST_OUTPUT_LINES_PER_SECOND: '10' })
    const id = await startExternal(url)
    const refused = (input: object) =>
      refusal(url, REPORT_OUTPUT, { input: { taskId: id, lines: [{ text: 'x' }], ...input } })
    expect((await refused({ lines: [{ text: 'a\nb' }] })).message).toMatch(
      /lines\[0\]\.text has a line end within; expected one line in each/,
    )
    expect((await refused({ lines: [] })).message).toMatch(/has 0 lines; expected 1 to 1000/)
    expect((await refused({ producer: 'p' })).extensions.code).toBe('BAD_INPUT')
    const many = { lines: range(1, LIMITS.outputLinesPerCall).map((i) => ({ text: `${i}` })) }
    for (let i = 0; i < 2; i++) await run(url, REPORT_OUTPUT, { input: { taskId: id, ...many } })
    const { message, extensions } = await refused(many)
    expect(extensions).toMatchObject({ code: 'RATE_LIMITED', retryAfterMs: expect.any(Number) })
    expect(message).toMatch(/EPOCHCAST_OUTPUT_LINES_PER_SECOND/)
    const { cursor } = (await run(url, OUTPUT, { id, last: 1 })).task.output.edges[0].node
    const ahead = cursor.replace(/\.[^.]+$/, '.zzz')
    for (const [after, code] of [
      ['nonsense', 'BAD_CURSOR'],
      [ahead, 'CURSOR_AHEAD'],
    ]) {
      const [result] = await collect(webSocketClient(webSocketUrl), WATCH_OUTPUT, {
        taskId: id,
        after,
      }).catch((errors) => [{ errors }])
      expect(result?.errors?.[0]?.extensions.code).toBe(code)
    }
  })
})
