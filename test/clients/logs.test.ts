import { describe, expect, it } from 'vitest'
import { outputLine } from '../../clients/cli/render/output-line.ts'
import { resumableDocument } from '../../clients/typescript/resumable-document.ts'
import { print } from '../support/output.ts'
import { testServer } from '../support/server.ts'
import { range } from '../support/tasks.ts'
import { until } from '../support/until.ts'
import { startProxy } from './support/proxy.ts'
import { report, startExternal, testClient } from './support/server.ts'
import { epochcast, testTerminal } from './support/terminal.ts'

async function setUp(env: Record<string, string> = {}) {
  const { url } = await testServer({ EPOCHCAST_OUTPUT_QUIET_SECONDS: '0.3', ...env })
  const client = testClient(url)
  return { url, client, taskId: await startExternal(client) }
}

const linesOf = (text: string): string[] => text.split('\n').filter((line) => line !== '')

describe('logs', () => {
  it('prints what is kept, all of it or the newest, each to where it was printed', async () => {
    const { url, taskId } = await setUp({ EPOCHCAST_OUTPUT_LINES_PER_SECOND: '10000' })
    for (const i of range(0, 2))
      await print(
        url,
        taskId,
        range(1, 700).map((j) => `${700 * i + j}`),
      )
    const lines = [
      { text: 'a warning', stream: 'STDERR', member: 'rank-1' },
      { text: '', skipped: 3 },
    ]
    await print(url, taskId, [], { lines })
    const all = await epochcast(url, ['logs', taskId])
    expect(all).toMatchObject({
      code: 0,
      err: 'rank-1: a warning\n[3 lines were skipped: there were too many at once]\n',
    })
    expect(linesOf(all.out)).toEqual(range(1, 2100).map(String))
    expect((await epochcast(url, ['logs', taskId, '--last', '4'])).out).toBe('2099\n2100\n')
    const [first, second] = linesOf((await epochcast(url, ['logs', taskId, '--json'])).out).map((line) =>
      JSON.parse(line),
    )
    expect(first).toMatchObject({ stream: 'STDOUT', text: '1', isCut: false, skip: null })
    const after = await epochcast(url, ['logs', taskId, '--after', first.cursor, '--json'])
    expect(JSON.parse(linesOf(after.out)[0] as string)).toEqual(second)
  })

  it('-f goes on to the end, over a connection that is lost, each line once', async () => {
    const { url, client, taskId } = await setUp()
    const proxy = await startProxy(url)
    const terminal = testTerminal()
    await print(url, taskId, ['before'])
    const done = epochcast(proxy.url, ['logs', taskId, '-f'], terminal)
    await until('the replay', () => terminal.out.includes('before'))
    proxy.cut()
    await print(url, taskId, range(1, 50).map(String))
    await until('the rest', () => terminal.out.includes('50'))
    await report(client, taskId, { success: {} })
    await print(url, taskId, ['after the end'])
    expect((await done).code).toBe(0)
    expect(linesOf(terminal.out)).toEqual(['before', ...range(1, 50).map(String), 'after the end'])
  })

  it('says that there is no such task', async () => {
    const { url } = await setUp()
    for (const more of [[], ['-f']]) {
      const { code, err } = await epochcast(url, ['logs', 'nobody', ...more])
      expect([code, err]).toEqual([3, expect.stringMatching(/error TASK_NOT_FOUND: .*nobody/)])
    }
  })
})

it('watch --output shows lines between the events', async () => {
  const { url, client, taskId } = await setUp()
  const terminal = testTerminal()
  const done = epochcast(url, ['watch', taskId, '--output'], terminal)
  await until('it to watch', () => terminal.out.includes('opened'))
  await print(url, taskId, ['loss is falling'])
  await until('the line', () => terminal.out.includes('loss is falling'))
  await report(client, taskId, { progress: { current: 1 } }, { success: {} })
  await print(url, taskId, ['saved'])
  expect((await done).code).toBe(0)
  expect(terminal.out).toMatch(/opened.*loss is falling\n.*progress current=1.*saved\n.*SUCCESS/s)
})

it('watch --output says once why it cannot go on', async () => {
  const { url, taskId } = await setUp()
  await print(url, taskId, ['loss is falling'])
  const { code, err } = await epochcast(url, ['watch', taskId, '--output', '--after', 'garbage'])
  expect({ code, lines: linesOf(err) }).toEqual({ code: 3, lines: [expect.stringContaining('BAD_CURSOR')] })
})

describe('a printed line', () => {
  const line = (text: string) => ({
    ...{
      cursor: 'c',
      timestamp: 't',
      stream: 'STDOUT' as const,
      text,
      isCut: false,
      member: null,
      skip: null,
    },
  })
  it.each([
    ['colours', '\u001b[1;31mred\u001b[0m plain', '\u001b[1;31mred\u001b[0m plain\u001b[0m', 'red plain'],
    ['a title of the window', 'a\u001b]0;title\u0007b', 'ab', 'ab'],
    ['a cursor that moves', '\u001b[2J\u001b[10;10Hx\u001b[?25l', 'x', 'x'],
    ['control characters', 'a\u0000\u0008\u009bb\u202ec', 'a b c', 'a b c'],
    ['half an escape code', 'x\u001b', 'x', 'x'],
    ['tabs', 'a\tb', 'a    b', 'a    b'],
  ])('keeps its colours, where there are some, and nothing that steers: %s', (_, text, colored, plain) => {
    expect(outputLine(line(text), true)).toBe(colored)
    expect(outputLine(line(text), false)).toBe(plain)
  })
})

it('a document of taskOutput goes on at its cursor, whatever it selects', () => {
  const document = resumableDocument({ query: 'subscription { taskOutput(taskId: "x", last: 9) { text } }' })
  expect(document).toMatchObject({ hasEvents: false, goesOn: true, opensWithValue: false })
  const progress = { cursor: 'c1', heardAt: 1 }
  const query = document.query(progress)
  expect(query).toMatch(/taskOutput\(.*after: \$epochcastAfter.*\) \{.*epochcastCursor: cursor/)
  expect(document.variables(null, progress)).toEqual({ epochcastAfter: 'c1' })
  const data = { taskOutput: { text: 'x', epochcastCursor: 'c2' } }
  expect(document.take(data)).toMatchObject({ cursor: 'c2' })
  expect(data).toEqual({ taskOutput: { text: 'x' } })
})
