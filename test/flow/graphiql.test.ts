import { type IncomingMessage, request } from 'node:http'
import { setImmediate as eventLoopTurn } from 'node:timers/promises'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { expect, it, onTestFinished } from 'vitest'
import { graphiqlExamples } from '../../src/transport/graphiql.ts'
import { openBrowser } from '../support/browser.ts'
import { run, START } from '../support/graphql.ts'
import { testServer, trainersFile } from '../support/server.ts'
import { SECRET_ENV, tokenFor } from '../support/tokens.ts'

it('GraphiQL starts a training and watches it live, in a browser that reaches nothing but the server', async () => {
  const file = trainersFile({
    works: `
      for (let current = 1; current <= 5; current++) await report({ progress: { current, total: 5, loss: 1 / current } })
      await report({ success: { result: { final_loss: 0.2 } } })`,
  })
  const { url } = await testServer({ EPOCHCAST_TRAINERS: file })
  const page = await (await openBrowser()).newPage()
  const elsewhere: string[] = []
  const problems: string[] = []
  page.on('request', (request) => {
    if (!request.url().startsWith(url) && !/^(blob|data):/.test(request.url())) elsewhere.push(request.url())
  })
  page.on('pageerror', (error) => problems.push(error.message))
  const openWith = async (query: string) => {
    await page.goto(`${url}?${new URLSearchParams({ query })}`)
    await page.locator('.graphiql-execute-button').click()
  }
  const response = page.locator('.graphiql-response')

  // What it opens with are the examples, and the menu of its button lists every one of them.
  await page.goto(url)
  await page.locator('.graphiql-execute-button').click()
  const names = [...graphiqlExamples.matchAll(/^(?:query|mutation|subscription) (\w+)/gm)].map(
    ([, name]) => name,
  )
  expect(names.length).toBeGreaterThan(9)
  await expect.poll(() => page.getByRole('menuitem').allTextContents()).toEqual(names)

  await openWith('mutation { startTraining(input: { trainer: "works" }) { task { id } } }')
  await expect.poll(() => response.textContent()).toMatch(/"id"/)
  const [, taskId] =
    /"id":\s*"([\w-]+)"/.exec((await response.textContent())?.replaceAll('\u00a0', ' ') ?? '') ?? []
  expect(taskId).toBeTruthy()

  await openWith(`subscription { trainingProgress(taskId: "${taskId}", last: 3) { __typename } }`)
  // GraphiQL shows the newest result of a subscription.
  await expect.poll(() => response.textContent(), { timeout: 10_000 }).toMatch(/StreamClosing/)
  expect(elsewhere).toEqual([])
  expect(problems).toEqual([])
})

it('GraphiQL of a server with authentication takes a token among its headers, for subscriptions, too', async () => {
  const { url } = await testServer(SECRET_ENV)
  const bearer = await tokenFor(600)
  const { startTraining } = await run(url, START, { input: { trainer: 'external' } }, bearer)
  const page = await (await openBrowser()).newPage()
  const query = `subscription { trainingProgress(taskId: "${startTraining.task.id}") { __typename } }`
  await page.goto(`${url}?${new URLSearchParams({ query })}`)
  await page.getByRole('button', { name: 'Headers' }).click()
  const editor = page.getByRole('region', { name: 'Headers' })
  await editor.click()
  await page.keyboard.insertText(JSON.stringify({ Authorization: `Bearer ${bearer}` }))
  await page.locator('.graphiql-execute-button').click()
  const response = page.locator('.graphiql-response')
  await expect.poll(() => response.textContent(), { timeout: 10_000 }).toMatch(/StreamOpened/)
})

it('GraphiQL is sent compressed, and not again to a browser that has it', async () => {
  const { url } = await testServer()
  const get = (headers: Record<string, string>, method = 'GET') =>
    new Promise<{ response: IncomingMessage; body: Buffer }>((resolve, reject) => {
      const asked = request(url, { method, headers: { accept: 'text/html', ...headers } }, (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk) => chunks.push(chunk))
        response.on('end', () => resolve({ response, body: Buffer.concat(chunks) }))
      })
      asked.on('error', reject).end()
    })
  const plain = await get({})
  expect(plain.response.headers).toMatchObject({
    'content-type': 'text/html; charset=utf-8',
    'content-length': String(plain.body.length),
    'cache-control': 'no-cache',
    'x-frame-options': 'DENY',
    vary: 'Origin, Accept, Accept-Encoding',
  })
  expect(plain.response.headers).not.toHaveProperty('content-encoding')
  const { etag } = plain.response.headers
  for (const [accept, encoding, decode] of [
    ['gzip, deflate, br, zstd', 'br', brotliDecompressSync],
    ['gzip;q=1.0, br;q=0', 'gzip', gunzipSync],
    ['*', 'br', brotliDecompressSync],
  ] as const) {
    const { response, body } = await get({ 'accept-encoding': accept })
    expect(response.headers).toMatchObject({ 'content-encoding': encoding, etag })
    expect(body.length).toBeLessThan(plain.body.length / 3)
    expect(decode(body).equals(plain.body)).toBe(true)
  }
  for (const accept of ['deflate', 'identity', 'br;q=0, *;q=0'])
    expect((await get({ 'accept-encoding': accept })).response.headers).not.toHaveProperty('content-encoding')
  for (const tag of [etag, `"other", ${etag}`, '*', etag?.slice(2)]) {
    const { response, body } = await get({ 'if-none-match': String(tag) })
    expect([response.statusCode, body.length, response.headers.etag]).toEqual([304, 0, etag])
  }
  expect((await get({ 'if-none-match': '"other"' })).response.statusCode).toBe(200)
  // Of an allowed origin, and of another.
  const { headers } = (await get({ origin: 'http://localhost:3000' })).response
  expect(headers['access-control-allow-origin']).toBe('http://localhost:3000')
  expect((await get({ origin: 'https://evil.example' })).response.statusCode).toBe(403)
})

it('GraphiQL comes whole to who reads slowly, however many pieces it is sent in, and no more to who left', async () => {
  const { url, gauges } = await testServer()
  const warnings: Error[] = []
  const note = (warning: Error) => warnings.push(warning)
  process.on('warning', note)
  onTestFinished(() => void process.off('warning', note))
  const open = () =>
    new Promise<IncomingMessage>((resolve, reject) => {
      request(url, { headers: { accept: 'text/html', 'accept-encoding': 'identity' }, agent: false }, resolve)
        .on('error', reject)
        .end()
    })
  const [slow, gone] = await Promise.all([open(), open()])
  gone.destroy()
  let bytes = 0
  for await (const chunk of slow) {
    bytes += (chunk as Buffer).length
    await eventLoopTurn()
  }
  expect(bytes).toBe(Number(slow.headers['content-length']))
  expect(bytes).toBeGreaterThan(5_000_000)
  await expect.poll(() => gauges().requests).toBe(0)
  expect(warnings).toEqual([])
})
