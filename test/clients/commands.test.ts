import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { type ReportInput, TaskDocument } from '../../clients/typescript/index.ts'
import { testServer, trainersFile } from '../support/server.ts'
import { until } from '../support/until.ts'
import { refuses, startGateway } from './support/gateway.ts'
import { startProxy } from './support/proxy.ts'
import { progressReports, report, STEPS_TRAINER, startExternal, testClient } from './support/server.ts'
import { epochcast, testTerminal } from './support/terminal.ts'

async function setUp() {
  const { url } = await testServer({ EPOCHCAST_TRAINERS: trainersFile({ steps: STEPS_TRAINER }) })
  const client = testClient(url)
  return { url, client }
}

const linesOf = (text: string): string[] => text.split('\n').filter((line) => line !== '')

describe('train', () => {
  it.each([
    ['success', 0, 'SUCCESS', 'result {"accuracy":0.93}'],
    ['failure', 1, 'FAILURE', 'error Diverged: loss is NaN\n    in step 3'],
    ['crash', 1, 'FAILURE', 'Error: out of memory'],
  ])('--watch shows a training that ends by %s, and exits with %i', async (ending, code, status, shown) => {
    const { url } = await setUp()
    const done = await epochcast(url, ['train', 'steps', '--param', `ending=${ending}`, '--watch'])
    expect(done).toMatchObject({ code, err: '' })
    expect(done.out).toMatch(/ opened channel=gan:training:\S+ status=\w+ trainer=steps\n/)
    expect(done.out).toMatch(/ progress current=3 total=3 percent=100 loss=0\.33/)
    expect(done.out).toMatch(new RegExp(`^${status} `, 'm'))
    expect(done.out).toContain(shown)
  })

  it('gives every event as JSON with --json --watch', async () => {
    const { url } = await setUp()
    const { code, out } = await epochcast(url, ['train', 'steps', '--watch', '--json'])
    expect(code).toBe(0)
    const events = linesOf(out).map((line) => JSON.parse(line))
    expect(events.filter(({ current }) => current).map(({ current }) => current)).toEqual([1, 2, 3])
    expect(events.at(-1).__typename).toBe('StreamClosing')
  })

  it('tells the new task and how to watch it, and starts one key only once', async () => {
    const { url, client } = await setUp()
    const start = ['train', 'external', '--machine', 'm1', '--idempotency-key', 'k', '--label', 'team=drives']
    const told = await epochcast(url, start)
    expect(told.code).toBe(0)
    const [, taskId = ''] = /^task (\S+) QUEUED$/m.exec(told.out) ?? []
    expect(told.out).toContain(`watch:  epochcast watch ${taskId} --prefix gan:training --url ${url}`)

    const again = await epochcast(url, [...start, '--json'])
    expect(JSON.parse(again.out)).toMatchObject({ id: taskId, machineId: 'm1', reportToken: null })
    const { task } = await client.execute(TaskDocument, { id: taskId })
    expect(task?.trainer).toBe('external')
  })

  it('repeats a finished task', async () => {
    const { url, client } = await setUp()
    const first = await epochcast(url, [
      'train',
      'external',
      '--machine',
      'm1',
      '--param',
      'lr=0.1',
      '--json',
    ])
    const { id } = JSON.parse(first.out)
    await report(client, id, { failure: { error: 'it diverged' } })
    const again = await epochcast(url, ['train', '--retry-of', id, '--param', 'lr=0.01', '--json'])
    expect(JSON.parse(again.out)).toMatchObject({ retryOf: id, trainer: 'external', machineId: 'm1' })
    const neither = await epochcast(url, ['train'])
    expect(neither).toMatchObject({
      code: 3,
      err: 'error USAGE: expected a trainer, or --retry-of <taskId>\n',
    })
  })

  it('hands on what the server refuses', async () => {
    const { url } = await setUp()
    const { code, err } = await epochcast(url, ['train', 'unknown'])
    expect(code).toBe(3)
    expect(err).toMatch(/^error TRAINER_NOT_FOUND: trainer is "unknown"; expected one of .*\n$/)
  })
})

describe('watch', () => {
  it('draws a live view on a terminal', async () => {
    const { url, client } = await setUp()
    const taskId = await startExternal(client)
    const terminal = testTerminal({ isTTY: true })
    const watching = epochcast(url, ['watch', taskId], terminal)
    await report(client, taskId, { progress: { current: 4, total: 10, loss: 'NaN', stage: 'train' } })
    await until('the bar to be drawn', () => terminal.out.includes('40 %'))
    expect(terminal.out).toContain('NaN')
    await report(client, taskId, { success: {} })
    expect((await watching).code).toBe(0)
    expect(terminal.out).toContain('100 %')
  })

  it('ends with 2 when the training is cancelled', async () => {
    const { url, client } = await setUp()
    const taskId = await startExternal(client)
    const terminal = testTerminal()
    const watching = epochcast(url, ['watch', taskId, '--prefix', 'gan:training'], terminal)
    await until('the stream to open', () => terminal.out.includes(' opened '))
    const cancelled = await epochcast(url, ['cancel', taskId, '--reason', 'enough seen'])
    expect(cancelled).toMatchObject({ code: 0, out: `task ${taskId} is CANCELLED\n` })
    const { code, out } = await watching
    expect(code).toBe(2)
    expect(out).toContain('cancelled reason="enough seen"')
  })

  it('replays what it is asked for, and goes on after a cursor', async () => {
    const { url, client } = await setUp()
    const taskId = await startExternal(client)
    await report(client, taskId, ...progressReports(1, 20), { success: {} })
    const last = await epochcast(url, ['watch', taskId, '--last', '6', '--json'])
    const events = linesOf(last.out).map((line) => JSON.parse(line))
    expect(events.map(({ current }) => current).filter(Boolean)).toEqual([16, 17, 18, 19, 20])
    const rest = await epochcast(url, ['watch', taskId, '--after', events[3].cursor, '--json'])
    const currents = linesOf(rest.out).map((line) => JSON.parse(line).current)
    expect(currents.filter(Boolean)).toEqual([19, 20])
  })

  it('says that the connection is lost, and goes on', async () => {
    const { url, client } = await setUp()
    const proxy = await startProxy(url)
    const taskId = await startExternal(client)
    const terminal = testTerminal()
    const watching = epochcast(proxy.url, ['watch', taskId], terminal)
    await until('the stream to open', () => terminal.out.includes(' opened '))
    proxy.cut()
    await until('the connection to be back', () => terminal.err.includes('connected again'))
    await report(client, taskId, ...progressReports(1, 3), { success: {} })
    expect((await watching).code).toBe(0)
    expect(terminal.err).toMatch(/^connection lost, retrying \(1 of 12\): /)
    expect(linesOf(terminal.out).filter((line) => line.includes(' progress '))).toHaveLength(3)
  })

  it('only detaches on Ctrl-C, and tells the way back', async () => {
    const { url, client } = await setUp()
    const taskId = await startExternal(client)
    const terminal = testTerminal()
    const watching = epochcast(url, ['watch', taskId], terminal)
    await until('the stream to open', () => terminal.out.includes(' opened '))
    await report(client, taskId, ...progressReports(1, 1))
    await until('an event', () => terminal.out.includes(' progress '))
    terminal.interrupt()
    const { code, err } = await watching
    expect(code).toBe(130)
    expect(err).toContain('detached; the training goes on\n')
    expect(err).toContain(`cancel:      epochcast cancel ${taskId} `)
    const [, cursor = ''] = /watch again: .* --after (\S+)/.exec(err) ?? []
    await report(client, taskId, { success: {} })
    const rest = await epochcast(url, ['watch', taskId, '--after', cursor])
    expect(rest).toMatchObject({ code: 0 })
    expect(rest.out).not.toContain(' progress ')
  })

  it('knows an unknown task', async () => {
    const { url } = await setUp()
    const { code, err } = await epochcast(url, ['watch', 'unknown'])
    expect({ code, err }).toEqual({ code: 3, err: 'error TASK_NOT_FOUND: there is no task "unknown"\n' })
  })
})

describe('report', () => {
  it('reports steps, fractions of epochs, and what a member of the training has to say', async () => {
    const { url, client } = await setUp()
    const taskId = await startExternal(client)
    for (const line of [
      'progress --current 1 --step 5000000000 --epoch 0.5',
      'progress --current 9 --step 7 --member rank-1',
      'epoch-end --epoch 0 --step 5000000001 --metric f1=1 --member rank-1',
      'round-end --round 0 --step 5000000002',
    ]) {
      expect(await epochcast(url, ['report', taskId, ...line.split(' ')])).toMatchObject({ code: 0, err: '' })
    }
    const refused = await epochcast(url, ['report', taskId, 'success', '--member', 'rank-1'])
    expect(refused.err).toMatch(/^error BAD_INPUT: reports\[0\] is success of member "rank-1"; expected /)
    const { task } = await client.execute(TaskDocument, { id: taskId })
    expect(task).toMatchObject({ current: 1, epoch: 0.5, step: 5_000_000_002, round: 0 })
  })

  it('reports each kind as its trainer would', async () => {
    const { url, client } = await setUp()
    const taskId = await startExternal(client)
    const lines = [
      'progress --current 3 --total 10 --loss nan --metric accuracy=0.9 --stage train --message hello',
      'epoch-start --epoch 1 --total-epochs 5',
      'epoch-end --epoch 1 --phase val --metric loss=-inf',
      'round-end --round 2 --total-rounds 4 --fit loss=1 --eval loss=2',
      'status --status running --message on',
      'error --error odd --type Warning',
      'success --result {"best":1}',
    ]
    for (const line of lines) {
      const { code, out } = await epochcast(url, ['report', taskId, ...line.split(' ')])
      expect({ code, out }).toEqual({ code: 0, out: 'accepted=1 duplicates=0 stopRequested=false\n' })
    }
    const { out } = await epochcast(url, ['watch', taskId, '--last', '7'])
    expect(linesOf(out).map((line) => line.slice(25))).toEqual(
      expect.arrayContaining([
        'progress current=3 total=10 percent=30 stage=train loss=NaN metric.accuracy=0.9 message=hello',
        'epoch-start epoch=1 total=5',
        'epoch-end epoch=1 phase=VAL metric.loss=-Infinity',
        'round-end round=2 total=4 fit.loss=1 eval.loss=2',
        'status status=RUNNING message=on',
        'error type=Warning error=odd',
        'success result={"best":1}',
      ]),
    )
    const late = await epochcast(url, ['report', taskId, 'failure', '--error', 'too late'])
    expect(late.code).toBe(3)
    expect(late.err).toMatch(/^error TASK_ENDED: /)
  })

  it('sends JSON lines as they come, each once however often they are sent', async () => {
    const { url, client } = await setUp()
    const taskId = await startExternal(client)
    const reports: ReportInput[] = [...progressReports(1, 2500), { success: {} }]
    const stdin = () => reports.map((line) => `${JSON.stringify(line)}\n`).join('')
    const send = (text: string) =>
      epochcast(url, ['report', taskId, '--json', '-', '--producer', 'p'], testTerminal({ stdin: text }))
    const all = stdin().split('\n')
    const first = await send(all.slice(0, 1200).join('\n'))
    expect(first.out).toBe('accepted=1200 duplicates=0 stopRequested=false\n')
    const second = await send(stdin())
    expect(second.out).toBe('accepted=1301 duplicates=1200 stopRequested=false\n')
  })

  it('does not wait for the end of its input, and says when the training is to stop', async () => {
    const { url, client } = await setUp()
    const taskId = await startExternal(client)
    const stdin = new PassThrough()
    const terminal = testTerminal({ stdin })
    const reporting = epochcast(url, ['report', taskId, '--json', '-'], terminal)
    const current = async () => (await client.execute(TaskDocument, { id: taskId })).task?.current
    stdin.write('{"progress": {"current": 1, "loss": NaN}}\n\n')
    await until('the first report', async () => (await current()) === 1)
    await epochcast(url, ['cancel', taskId])
    stdin.write('{"progress": {"current": 2, "message": "NaN stays"}}\n')
    await until('the notice', () => terminal.err !== '')
    expect(terminal.err).toBe('the training is asked to stop\n')
    stdin.end('{"status": {"status": "CANCELLED"}}\n')
    expect(await reporting).toMatchObject({ code: 0, out: 'accepted=3 duplicates=0 stopRequested=true\n' })
  })

  it('neither holds a training up nor ends its pipe while the server is away', async () => {
    const { url, client } = await setUp()
    const taskId = await startExternal(client)
    const gateway = await startGateway(url)
    gateway.behave(refuses('ENGINE_UNAVAILABLE', { retryable: true }))
    const stdin = new PassThrough()
    const terminal = testTerminal({ stdin })
    const reporting = epochcast(gateway.url, ['report', taskId, '--json', '-'], terminal)
    // More than what is read ahead of the server.
    for (const line of progressReports(1, 5000)) stdin.write(`${JSON.stringify(line)}\n`)
    stdin.write('still training\n')
    await until('the line after them', () => terminal.out === 'still training\n')
    await until('the word', () => terminal.err.includes('kept and tried again'))
    gateway.behave(null)
    stdin.end('{"success":{}}\n')
    expect((await reporting).out).toMatch(/accepted=5001 duplicates=0 stopRequested=false\n$/)
    const { task } = await client.execute(TaskDocument, { id: taskId })
    expect(task).toMatchObject({ status: 'SUCCESS', current: 5000 })
  })

  it('passes on what a training prints that is no report, and sends the rest', async () => {
    const { url, client } = await setUp()
    const taskId = await startExternal(client)
    const lines = [
      'Epoch 1/3',
      '{"progress":{"current":1}}',
      '',
      '{"loss": 0.5}',
      '[1, 2]',
      'null',
      '{"progress":{"current":3}}',
    ]
    const terminal = testTerminal({ stdin: `${lines.join('\n')}\n` })
    const { code, out, err } = await epochcast(url, ['report', taskId, '--json', '-'], terminal)
    expect([code, err]).toEqual([0, ''])
    expect(out.split('\n').slice(0, -2)).toEqual(lines.filter((line) => !/^$|current":[13]\}\}$/.test(line)))
    expect(out).toMatch(/accepted=2 duplicates=0 stopRequested=false\n$/)
    const { task } = await client.execute(TaskDocument, { id: taskId })
    expect(task?.current).toBe(3)
  })

  it('tells which report was refused, and goes on with the others', async () => {
    const { url, client } = await setUp()
    const taskId = await startExternal(client)
    const reports = [
      '{"progress":{"current":1}}',
      '{"progress":{"current":-2}}',
      '{"progress":{"current":2},"error":{"error":"two kinds"}}',
      '{"progress":{"current":3}}',
    ]
    const terminal = testTerminal({ stdin: `${reports.join('\n')}\n` })
    const { code, out, err } = await epochcast(url, ['report', taskId, '--json', '-'], terminal)
    expect(code).toBe(3)
    expect(err).toMatch(/^refused BAD_INPUT: [^\n]*-2[^\n]*\nrefused BAD_INPUT: [^\n]*\n$/)
    expect(out).toBe('accepted=2 duplicates=0 refused=2 stopRequested=false\n')
    const { task } = await client.execute(TaskDocument, { id: taskId })
    expect(task?.current).toBe(3)
  })

  it('takes a first line that Windows put a byte order mark in front of', async () => {
    const { url, client } = await setUp()
    const taskId = await startExternal(client)
    const terminal = testTerminal({ stdin: '\ufeff{"progress":{"current":1}}\r\n\ufeffhello\r\n' })
    const { code, out } = await epochcast(url, ['report', taskId, '--json', '-'], terminal)
    expect([code, out]).toEqual([0, '\ufeffhello\naccepted=1 duplicates=0 stopRequested=false\n'])
    const { task } = await client.execute(TaskDocument, { id: taskId })
    expect(task?.current).toBe(1)
  })

  it('says that a folder cannot be read', async () => {
    const { url } = await setUp()
    const { code, err } = await epochcast(url, ['report', 't', '--json', import.meta.dirname])
    expect([code, err]).toEqual([
      3,
      'error USAGE: the reports cannot be read: EISDIR: illegal operation on a directory, read\n',
    ])
  })

  it('does not say again of every report what it said of the last', async () => {
    const { url } = await setUp()
    const lines = [
      '{"progress":{"current":1}}',
      '{"progress":{"current":2}}',
      '{"progress":{"current":-1}}',
      '{"progress":{"current":3}}',
    ]
    const terminal = testTerminal({ stdin: `${lines.join('\n')}\n` })
    const { code, out, err } = await epochcast(url, ['report', 'nope', '--json', '-'], terminal)
    expect(code).toBe(3)
    expect(linesOf(err)).toEqual([
      expect.stringMatching(/^refused TASK_NOT_FOUND: no task "nope"/),
      expect.stringMatching(/^refused BAD_INPUT: .*-1/),
      expect.stringMatching(/^refused TASK_NOT_FOUND: no task "nope"/),
    ])
    expect(out).toBe('accepted=0 duplicates=0 refused=4 stopRequested=false\n')
  })

  it('leaves out what would not arrive as it is written, and says what to write instead', async () => {
    const { url, client } = await setUp()
    const taskId = await startExternal(client)
    const reports = [
      '{"progress":{"current":1,"metrics":{"a":9007199254740993}}}',
      '{"progress":{"current":2,"metrics":{"a":9007199254740993,"b":1e400}}}',
      '{"success":{"result":{"seed":9007199254740993}}}',
      '{"success":{"result":{"seed":"9007199254740993"}}}',
    ]
    const terminal = testTerminal({ stdin: `${reports.join('\n')}\n` })
    const { code, out, err } = await epochcast(url, ['report', taskId, '--json', '-'], terminal)
    expect(code).toBe(3)
    expect(linesOf(err)).toEqual([
      'refused BAD_INPUT: 1e400 would become Infinity as a JSON number; give it as a string: "1e400"',
      'refused BAD_INPUT: 9007199254740993 would become 9007199254740992 as a JSON number; give it as a string: "9007199254740993"',
    ])
    expect(out).toBe('accepted=2 duplicates=0 refused=2 stopRequested=false\n')
    const { task } = await client.execute(TaskDocument, { id: taskId })
    expect(task).toMatchObject({ current: 1, result: { seed: '9007199254740993' } })
  })

  it.each([
    ['train', 'external', '--param', 'seed=9007199254740993'],
    ['train', 'external', '--param', 'seeds=[1, 9007199254740993]'],
    ['train', 'external', '--params', '{"seed": 9007199254740993}'],
    ['train', 'external', '--label', 'seed=9007199254740993'],
    ['report', 't', 'success', '--result', '9007199254740993'],
  ])('refuses a number that JavaScript would round: %s %s %s %s', async (...args) => {
    const { code, err } = await epochcast('http://127.0.0.1:9/graphql', args.filter(Boolean))
    expect(code).toBe(3)
    expect(err).toContain('9007199254740993 would become 9007199254740992 as a JSON number')
  })

  it.each([
    ['progress', '--total 3', 'a report of progress needs --current'],
    ['progress', '--current 3 --total-rounds 3', 'a report of progress has no --total-rounds'],
    ['nothing', '', 'the kind of report is "nothing"'],
    ['constructor', '', 'the kind of report is "constructor"'],
    ['progress', '--current 3 --json -', 'expected either a kind of report'],
    ['progress', '--current three', "argument 'three' is invalid. Expected a whole number."],
    ['progress', '--current 1 --metric loss', 'Expected name=value.'],
  ])('refuses %s %s', async (kind, options, message) => {
    const args = ['report', 't', kind, ...options.split(' ').filter(Boolean)]
    const { code, err } = await epochcast('http://127.0.0.1:9/graphql', args)
    expect(code).toBe(3)
    expect(err).toMatch(/^error USAGE: [^\n]+\n$/)
    expect(err).toContain(message)
  })
})

describe('tasks and trainers', () => {
  it('are listed, filtered, in tables or as JSON', async () => {
    const { url, client } = await setUp()
    const ended = await startExternal(client)
    await report(client, ended, { progress: { current: 1, total: 4, loss: 0.5 } }, { success: {} })
    const queued = await startExternal(client)

    const all = linesOf((await epochcast(url, ['tasks'])).out)
    expect(all[0]).toMatch(/^TASK +STATUS +TRAINER +MACHINE +DONE +EPOCH +LOSS +UPDATED$/)
    expect(all[1]).toMatch(new RegExp(`^${queued}  QUEUED +external +- +- +- +- +\\d`))
    expect(all[2]).toMatch(new RegExp(`^${ended}  SUCCESS +external +- +100% +- +0\\.5 +\\d`))

    const filtered = await epochcast(url, ['tasks', '--status', 'success', '--status', 'failure', '--json'])
    expect(linesOf(filtered.out).map((line) => JSON.parse(line).id)).toEqual([ended])
    expect(linesOf((await epochcast(url, ['tasks', '--first', '1'])).out)).toHaveLength(2)
    const none = await epochcast(url, ['tasks', '--status', 'nope'])
    expect(none).toMatchObject({ code: 3 })

    const trainers = await epochcast(url, ['trainers'])
    expect(trainers.out).toMatch(/^TRAINER +LAUNCHER +DESCRIPTION\nsteps +local +-\nexternal +external +\w/)
    const asJson = await epochcast(url, ['trainers', '--json'])
    expect(JSON.parse(linesOf(asJson.out)[0] ?? '')).toMatchObject({ name: 'steps', launcher: 'local' })
  })
})

describe('the program', () => {
  it('explains itself, and how it was misused', async () => {
    const nowhere = 'http://127.0.0.1:9/graphql'
    const version = await epochcast(nowhere, ['--version'])
    expect(version).toEqual({ code: 0, out: '1.2.3\n', err: '' })
    for (const name of [
      'train',
      'watch',
      'cancel',
      'report',
      'tasks',
      'rename',
      'delete',
      'share',
      'trainers',
    ]) {
      const help = await epochcast(nowhere, [name, '--help'])
      expect(help).toMatchObject({ code: 0, err: '' })
      expect(help.out).toContain('Examples:\n  $ epochcast ')
      expect(await epochcast(nowhere, ['help', name])).toEqual(help)
    }
    expect((await epochcast(nowhere, ['help'])).out).toContain('help [command]')
    expect(await epochcast(nowhere, ['wtach'])).toMatchObject({ code: 3, out: '' })
    const unreachable = await epochcast(nowhere, ['tasks'])
    expect(unreachable.code).toBe(3)
    expect(unreachable.err).toMatch(
      /^error CONNECTION_FAILED: cannot reach http:\/\/127\.0\.0\.1:9\/graphql: .+\n$/,
    )
    const badUrl = await epochcast('localhost', ['tasks'])
    expect(badUrl.err).toMatch(/^error USAGE: the server's URL is "localhost"/)
  })
})

describe('finding, renaming and deleting tasks', () => {
  it('tasks are found by text, labels and time, in another order', async () => {
    const { url, client } = await setUp()
    const first = await startExternal(client, { name: 'resnet fold 1', labels: { team: 'vision', fold: 1 } })
    const second = await startExternal(client, { name: 'resnet fold 2', labels: { team: 'vision', fold: 2 } })
    await startExternal(client)
    const ids = async (...options: string[]) =>
      linesOf((await epochcast(url, ['tasks', '--json', ...options])).out).map((line) => JSON.parse(line).id)
    expect(await ids('--text', 'FOLD resnet')).toEqual([second, first])
    expect(await ids('--label', 'team=vision', '--label', 'fold=1')).toEqual([first])
    expect(await ids('--text', 'fold', '--order', 'oldest', '--since', '1h')).toEqual([first, second])
    expect(await ids('--since', '2100-01-01')).toEqual([])
    await report(client, first, { progress: { current: 1 } })
    expect((await ids('--order', 'updated'))[0]).toBe(first)
    expect((await epochcast(url, ['tasks', '--text', 'fold'])).out).toMatch(/^TASK +NAME +STATUS/)
    for (const wrong of [
      ['--since', 'yesterday'],
      // Date.parse takes them for a day in March and a month of 2001.
      ['--since', '2026-02-30'],
      ['--since', '5'],
      ['--order', 'best'],
      ['--label', 'team'],
    ])
      expect(await epochcast(url, ['tasks', ...wrong])).toMatchObject({ code: 3, out: '' })
  })

  it('rename gives a task another name or takes it away', async () => {
    const { url, client } = await setUp()
    const taskId = await startExternal(client)
    const renamed = await epochcast(url, ['rename', taskId, 'a name'])
    expect(renamed).toMatchObject({ code: 0, out: `task ${taskId} is called a name\n` })
    const { task } = await client.execute(TaskDocument, { id: taskId })
    expect(task?.name).toBe('a name')
    expect((await epochcast(url, ['rename', taskId, '--clear'])).out).toBe(`task ${taskId} has no name\n`)
    for (const wrong of [
      ['rename', taskId],
      ['rename', taskId, 'a name', '--clear'],
    ])
      expect(await epochcast(url, wrong)).toMatchObject({
        code: 3,
        err: 'error USAGE: expected a name, or else --clear\n',
      })
  })

  it('share prints a link to a task, which has no token where none is needed', async () => {
    const { url, client } = await setUp()
    const taskId = await startExternal(client)
    const { origin } = new URL(url)
    expect(await epochcast(url, ['share', taskId])).toMatchObject({
      code: 0,
      out: `${origin}/tasks/gan%3Atraining/${taskId}\n`,
    })
    const { out } = await epochcast(url, ['share', taskId, '--seconds', '60', '--json'])
    expect(JSON.parse(out)).toMatchObject({ token: null, expiresAt: null })
    expect((await epochcast(url, ['share', taskId, '--seconds', '59'])).err).toMatch(/^error BAD_INPUT/)
  })

  it('delete takes a finished task away, and no other', async () => {
    const { url, client } = await setUp()
    const taskId = await startExternal(client)
    expect((await epochcast(url, ['delete', taskId])).err).toMatch(/^error TASK_NOT_ENDED: task .* is QUEUED/)
    await report(client, taskId, { success: {} })
    expect(await epochcast(url, ['delete', taskId])).toMatchObject({
      code: 0,
      out: `task ${taskId} is deleted\n`,
    })
    expect((await client.execute(TaskDocument, { id: taskId })).task).toBeNull()
    expect((await epochcast(url, ['delete', taskId])).err).toMatch(/^error TASK_NOT_FOUND/)
  })
})
