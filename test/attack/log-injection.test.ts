import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { endWithUs } from '../processes/lifetime.ts'
import { post, REPORT, START } from '../support/graphql.ts'
import { RawConnection, UPGRADE } from '../support/raw-connection.ts'
import { trainersFile } from '../support/server.ts'
import { until } from '../support/until.ts'

const MAIN = join(import.meta.dirname, '../../bin/epochcast.js')
const EVIL =
  'a\n[12:00:00] INFO: forged\r\n{"level":30,"msg":"forged"}\r\u001b[2J\u009b31m\u0085\u2028b\u2029\u007f\u202ec'
/** The same as bytes of a header or a path, in which Node's parser takes no C0. */
const EVIL_BYTES = Buffer.from('a\u0085b\u009b31m\u00e2\u0080\u00a8c\u009d0;title\u009c', 'latin1').toString(
  'latin1',
)
const STEERING = /(?!\n)[\p{Cc}\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/u

const ESCAPE = String.fromCharCode(27)
/** A live view moves the cursor and erases lines; whatever a client wrote does neither. */
const LIVE_VIEW = new RegExp(`${ESCAPE}\\[(\\?25[hl]|\\?2026[hl]|\\d*[AGKJ])`, 'g')

/** A program as built, whose output is a pipe, or a terminal without colours. */
function started(args: readonly string[], env: Record<string, string>, isTerminal: boolean) {
  const words = [process.execPath, MAIN, ...args].map((word) => `'${word}'`).join(' ')
  const [command, ...given] = isTerminal
    ? ['script', '-qfec', words, '/dev/null']
    : ['sh', '-c', `exec ${words}`]
  const child = endWithUs(
    spawn(command as string, given, {
      // Its own terminal's session ends with it.
      env: { PATH: process.env.PATH, NO_COLOR: '1', EPOCHCAST_DATA: 'none', ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    }),
  )
  onTestFinished(() => void child.kill('SIGKILL'))
  const seen = { text: '' }
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => {
      seen.text += text
    })
  // A terminal ends its lines with both.
  return { child, text: () => seen.text.replaceAll('\r\n', '\n') }
}

/** What a client can put a text into, through every door; most of it is refused. */
async function sendEverything(url: string): Promise<string> {
  const input = { trainer: 'external', name: 'plain', labels: { text: EVIL } }
  const { data } = await post(url, START, { input })
  const { id } = data.startTraining.task
  for (const odd of [
    { ...input, name: EVIL },
    { ...input, trainer: EVIL },
    { ...input, machineId: EVIL },
    { ...input, channelPrefix: EVIL },
    { ...input, retryOf: EVIL },
    { ...input, idempotencyKey: EVIL },
    { ...input, params: { [EVIL]: EVIL } },
  ])
    await post(url, START, { input: odd })
  const reports = [
    { progress: { current: 1, stage: 'plain', message: EVIL } },
    { error: { error: EVIL, errorType: EVIL } },
  ]
  for (const odd of [{}, { producer: EVIL, firstSequence: 1 }, { member: EVIL }, { taskId: EVIL }])
    await post(url, REPORT, { input: { taskId: id, reports, ...odd } })
  await post(url, `{ ${EVIL} }`)
  await post(url, `query ($a: ID!) { task(id: $a) { id } }`, { a: EVIL })
  await fetch(`${url}?query=${encodeURIComponent(EVIL)}&operationName=${encodeURIComponent(EVIL)}`)
  await fetch(`${url}/${encodeURIComponent(EVIL)}`)
  const paths = [`/${EVIL_BYTES}`, `/graphql?query=${EVIL_BYTES}`, `http://${EVIL_BYTES}/graphql`, '/graphql']
  for (const path of paths)
    for (const header of [
      'Origin',
      'User-Agent',
      'Accept',
      'Content-Type',
      'Host',
      'Cookie',
      'X-Forwarded-For',
    ]) {
      const lines = [
        `POST ${path} HTTP/1.1`,
        'Host: 127.0.0.1',
        `${header}: ${EVIL_BYTES}`,
        'Content-Length: 2',
        '',
        '{}',
      ]
      const raw = new RawConnection(url)
      raw.write(Buffer.from(lines.join('\r\n'), 'latin1'))
      raw.write(
        Buffer.from(
          UPGRADE.replace('/graphql', path).replace(
            'Sec-WebSocket-Key',
            `${header}: ${EVIL_BYTES}\r\nSec-WebSocket-Key`,
          ),
          'latin1',
        ),
      )
      await until('a response or an end', () => raw.text !== '' || raw.isEnded || raw.isClosed)
      raw.socket.destroy()
    }
  for (const message of [
    { type: 'connection_init', payload: { [EVIL]: EVIL } },
    { type: EVIL },
    EVIL,
    { type: 'connection_init' },
  ]) {
    const socket = new WebSocket(url.replace('http', 'ws'), 'graphql-transport-ws')
    await new Promise((resolve) => socket.once('open', resolve))
    socket.send(typeof message === 'string' ? message : JSON.stringify(message))
    socket.send(
      JSON.stringify({ id: EVIL, type: 'subscribe', payload: { query: `{ ${EVIL} }`, operationName: EVIL } }),
    )
    socket.close(4000, 'a\nb\u0085'.slice(0, 20))
    await new Promise((resolve) => socket.once('close', resolve))
  }
  return id
}

/** What `script`, which is the terminal, says of itself when it is ended. */
const LAST_WORDS_OF_SCRIPT = /\s*Session terminated, killing shell\.{3}.*$/s

it.each([false, true])(
  'no text of a client breaks or forges a line of the log (on a terminal: %s)',
  async (isTerminal) => {
    const trainers = trainersFile({
      talker: `process.stderr.write(${JSON.stringify(EVIL)}); process.exit(3)`,
    })
    const server = started(
      ['serve', '--port', '0', '--trainers', trainers],
      { EPOCHCAST_LOG_LEVEL: 'debug' },
      isTerminal,
    )
    const url = await until(
      'the server to listen',
      () => /http:\/\/127\.0\.0\.1:\d+\/graphql/.exec(server.text())?.[0],
    )
    const id = await sendEverything(url)
    const { data } = await post(url, START, { input: { trainer: 'talker' } })
    const talker = data.startTraining.task.id
    const status = async () => (await post(url, `{ task(id: "${talker}") { status } }`)).data.task.status
    await until('its end', async () => (await status()) === 'FAILURE')

    // The same texts, on the terminal of somebody who watches.
    await post(url, REPORT, {
      input: { taskId: id, reports: [{ failure: { error: EVIL, errorType: 'odd' } }] },
    })
    const env = { EPOCHCAST_URL: url }
    for (const args of [
      ['tasks'],
      ['watch', id],
      ['watch', talker],
      ['tasks', '--json'],
      ['watch', id, '--json'],
    ]) {
      const program = started(args, env, isTerminal)
      await new Promise((resolve) => program.child.once('close', resolve))
      const printed = program.text().replaceAll(LIVE_VIEW, '').replaceAll('\r', '')
      expect(printed).not.toMatch(STEERING)
      expect(printed).not.toMatch(/^\[12:00:00\] INFO: forged/m)
      expect(printed).not.toMatch(/^\{"level":30,"msg":"forged"\}/m)
    }

    const ended = once(server.child, 'close')
    server.child.kill('SIGTERM')
    await ended
    const lines = server.text().replace(LAST_WORDS_OF_SCRIPT, '').trimEnd().split('\n')
    // Clients are hardly ever told of; what is told is held to the same in `log-lines.test.ts`.
    expect(lines.length).toBeGreaterThanOrEqual(3)
    for (const line of lines) {
      expect(line).not.toMatch(STEERING)
      if (isTerminal) expect(line).toMatch(/^(\[\d\d:\d\d:\d\d\] [A-Z]+: | {4})/)
      else expect(JSON.parse(line)).toHaveProperty('pid')
      expect(line).not.toMatch(/^\[12:00:00\]/)
    }
  },
)
