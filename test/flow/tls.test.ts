import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { connect as connectTcp } from 'node:net'
import { connect } from 'node:tls'
import { createClient } from 'graphql-ws'
import { pino } from 'pino'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { readConfig } from '../../src/config.ts'
import { startServer } from '../../src/server.ts'
import { type CertificateFiles, replaceWith, selfSigned } from '../support/certificates.ts'
import {
  collect,
  currentsOf,
  progressReports,
  REPORT,
  type Result,
  START,
  WATCH,
} from '../support/graphql.ts'
import { trainersFile } from '../support/server.ts'
import { range } from '../support/tasks.ts'
import { until } from '../support/until.ts'

const settings = ({ cert, key }: CertificateFiles) => ({ EPOCHCAST_TLS_CERT: cert, EPOCHCAST_TLS_KEY: key })

async function tlsServer(files: CertificateFiles, env: Record<string, string> = {}) {
  const lines: { level: number; msg: string }[] = []
  const logger = pino({ level: 'info' }, { write: (line: string) => void lines.push(JSON.parse(line)) })
  const config = readConfig(
    { PORT: '0', EPOCHCAST_DATA: 'none', ...settings(files), ...env },
    { PATH: process.env.PATH },
  )
  const server = await startServer(config, logger)
  onTestFinished(() => server.close())
  return { ...server, lines }
}

/** One operation, by a client that trusts this certificate only. */
async function post(url: string, ca: string, query: string, variables: object = {}): Promise<Result> {
  const sent = request(url, {
    method: 'POST',
    ca: readFileSync(ca),
    agent: false,
    headers: { 'content-type': 'application/json' },
  })
  sent.end(JSON.stringify({ query, variables }))
  const [response] = await once(sent, 'response')
  let text = ''
  for await (const chunk of response) text += chunk
  return JSON.parse(text)
}

async function start(url: string, ca: string, trainer = 'external'): Promise<string> {
  const { data, errors } = await post(url, ca, START, { input: { trainer } })
  if (errors) throw new Error(JSON.stringify(errors))
  return data.startTraining.task.id
}

/** Whose certificate a server shows. */
async function shownBy(url: string): Promise<string | undefined> {
  const { hostname, port } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port), rejectUnauthorized: false })
  await once(socket, 'secureConnect')
  const { subject } = socket.getPeerCertificate()
  socket.destroy()
  return subject?.CN as string | undefined
}

it('https and wss carry everything, burst and replay, to several at once', async () => {
  const files = selfSigned('one')
  const { url, gauges } = await tlsServer(files)
  expect(url).toMatch(/^https:\/\/127\.0\.0\.1:\d+\/graphql$/)
  const taskId = await start(url, files.cert)
  class TrustingSocket extends WebSocket {
    constructor(address: string, protocols: string) {
      super(address, protocols, { ca: readFileSync(files.cert) })
    }
  }
  const viewers = range(1, 5).map(async () => {
    const client = createClient({
      url: url.replace('http', 'ws'),
      webSocketImpl: TrustingSocket,
      retryAttempts: 0,
    })
    onTestFinished(() => client.dispose())
    return collect(client, WATCH, { taskId, last: 1000 })
  })
  await until('the viewers to be there', () => gauges().subscriptions === 5)
  for (const first of [1, 501, 1001]) {
    const reports = progressReports(first, first + 499)
    const { errors } = await post(url, files.cert, REPORT, { input: { taskId, reports } })
    expect(errors).toBeUndefined()
  }
  await post(url, files.cert, REPORT, { input: { taskId, reports: [{ success: {} }] } })
  for (const events of await Promise.all(viewers)) {
    expect(currentsOf(events)).toEqual(range(1, 1500))
  }
  // Each has its place among the connections once, not twice.
  await until('all to be gone', () => gauges().connections === 0)
})

describe('the files', () => {
  it('are taken anew when they change, and what cannot be used leaves those before in use', async () => {
    const [files, second, third] = [selfSigned('first'), selfSigned('second'), selfSigned('third')]
    const { url, lines } = await tlsServer(files)
    expect(await shownBy(url)).toBe('first')
    replaceWith(files, second)
    await until('the second to be shown', async () => (await shownBy(url)) === 'second')

    const broken = () => lines.filter(({ level, msg }) => level === 50 && /still in use/.test(msg))
    const before = broken().length
    writeFileSync(files.cert, 'nothing')
    await until('the failure to be told', () => broken().length > before)
    expect(broken().at(-1)?.msg).toMatch(/^EPOCHCAST_TLS_CERT .* has no PEM in it that can be used/)
    expect(await shownBy(url)).toBe('second')

    replaceWith(files, third)
    await until('the third to be shown', async () => (await shownBy(url)) === 'third')
  })

  it('are refused at the start by the name of their variable', async () => {
    const [one, other] = [selfSigned('one'), selfSigned('other')]
    const refused = (files: CertificateFiles) => expect(tlsServer(files)).rejects
    await refused({ ...one, cert: '/no/such/file' }).toThrow(
      /^EPOCHCAST_TLS_CERT \/no\/such\/file cannot be read/,
    )
    await refused({ ...one, key: '/no/such/file' }).toThrow(
      /^EPOCHCAST_TLS_KEY \/no\/such\/file cannot be read/,
    )
    await refused({ ...one, key: one.cert }).toThrow(/^EPOCHCAST_TLS_KEY .*expected a private key/)
    await refused({ ...one, cert: one.key }).toThrow(/^EPOCHCAST_TLS_CERT .*expected a certificate/)
    await refused({ ...one, key: other.key }).toThrow(
      /^EPOCHCAST_TLS_KEY .* is not the key of the certificate/,
    )
    expect(() => readConfig({}, { EPOCHCAST_TLS_CERT: 'a' })).toThrow(
      /^EPOCHCAST_TLS_KEY is not set, but EPOCHCAST_TLS_CERT is/,
    )
    expect(() => readConfig({}, { EPOCHCAST_TLS_KEY: 'a' })).toThrow(
      /^EPOCHCAST_TLS_CERT is not set, but EPOCHCAST_TLS_KEY is/,
    )
  })
})

it('connections that never shake hands are bounded like all others', async () => {
  const files = selfSigned('one')
  const { url, gauges } = await tlsServer(files, {
    EPOCHCAST_MAX_CONNECTIONS: '10',
    EPOCHCAST_HEADERS_SECONDS: '0.3',
  })
  const { hostname: host, port } = new URL(url)
  const sockets = range(1, 8).map(() => connectTcp({ host, port: Number(port) }).on('error', () => {}))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
  })
  // Half of the ten are one address's.
  await until('three to be cut', () => sockets.filter(({ closed }) => closed).length >= 3)
  expect(gauges().connections).toBeLessThanOrEqual(5)
  await until('the others to be cut, too', () => sockets.every(({ closed }) => closed))
})

it('local trainers report to a name that the certificate is for', async () => {
  const files = selfSigned('one')
  const trainers = trainersFile({ tells: `process.stdout.write(process.env.EPOCHCAST_URL); process.exit(3)` })
  const { url } = await tlsServer(files, {
    EPOCHCAST_TRAINERS: trainers,
    EPOCHCAST_REPORT_URL: 'https://epochcast.example/graphql',
  })
  const id = await start(url, files.cert, 'tells')
  const query = 'query ($id: ID!) { task(id: $id) { error { message } } }'
  const ended = await until(
    'its end',
    async () => (await post(url, files.cert, query, { id })).data.task.error,
  )
  expect(ended.message).toContain('https://epochcast.example/graphql')
  expect(() => readConfig({}, { EPOCHCAST_REPORT_URL: 'epochcast.example' })).toThrow(
    /^EPOCHCAST_REPORT_URL is/,
  )
})
