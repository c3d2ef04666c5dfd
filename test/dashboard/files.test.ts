import { readdirSync, readFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { brotliDecompressSync, gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { DashboardFiles } from '../../src/transport/dashboard/dashboard-files.ts'
import { testServer } from '../support/server.ts'
import { SECRET_ENV } from '../support/tokens.ts'

const BUILT = join(import.meta.dirname, '../../dist/dashboard')
const PAGE = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Buffer
}

/** As it is written: `fetch` would tidy the path, and follow. */
async function setUp(env: Record<string, string> = {}) {
  const { url } = await testServer(env)
  const { hostname, port, host } = new URL(url)
  const get = (path: string, headers: Record<string, string> = PAGE, method = 'GET') =>
    new Promise<Answer>((resolve, reject) => {
      const asked = request({ hostname, port, path, method, headers }, (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk) => chunks.push(chunk))
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks),
          }),
        )
      })
      asked.on('error', reject).end()
    })
  return { get, host }
}

const assetsOf = (html: string) =>
  [...html.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, path]) => path as string)

describe('the files of the dashboard', () => {
  it('are a page at each of its addresses, which may run and call nothing but its own server', async () => {
    const { get, host } = await setUp()
    const { body: page } = await get('/')
    for (const path of [
      '/',
      '/?q=1',
      '/start',
      '/compare?runs=a/b',
      '/tasks/gan%3Atraining/a1',
      '/embed/task/a1',
      '/embed/task/gan:training/a1',
    ]) {
      const { status, headers, body } = await get(path)
      expect([path, status]).toEqual([path, 200])
      expect(body.equals(page)).toBe(true)
      const isEmbedded = path.startsWith('/embed')
      expect(headers).toMatchObject({
        'content-type': 'text/html; charset=utf-8',
        'cache-control': 'no-cache',
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
      })
      const policy = String(headers['content-security-policy']).split('; ')
      expect(policy).toContain("default-src 'none'")
      expect(policy).toContain("script-src 'self'")
      expect(policy).toContain("style-src 'self'")
      expect(policy).toContain(`connect-src 'self' ws://${host} wss://${host}`)
      expect(policy).toContain(`frame-ancestors ${isEmbedded ? '*' : "'none'"}`)
      expect(headers['x-frame-options']).toBe(isEmbedded ? undefined : 'DENY')
    }
    const html = page.toString()
    expect(html).not.toMatch(/<script(?![^>]*src=)|<style|style=|\son\w+=|https?:/)
    for (const path of assetsOf(html)) {
      const { status, headers } = await get(path, {})
      expect([path, status]).toEqual([path, 200])
      expect(headers['cache-control']).toBe('public, max-age=31536000, immutable')
    }
    const odd = await get('/', { ...PAGE, host: "localhost; script-src 'unsafe-inline'" })
    expect(String(odd.headers['content-security-policy'])).not.toContain('unsafe-inline')
  })

  it('are sent compressed, not again to who has them, and by HEAD without a body', async () => {
    const { get } = await setUp()
    const { body, headers } = await get('/')
    const [script = ''] = assetsOf(body.toString())
    const plain = await get(script, {})
    expect(plain.headers).not.toHaveProperty('content-encoding')
    const compressed = await get(script, { 'accept-encoding': 'gzip, br' })
    expect(compressed.headers).toMatchObject({ 'content-encoding': 'br', etag: plain.headers.etag })
    expect(brotliDecompressSync(compressed.body).equals(plain.body)).toBe(true)
    const again = await get('/', { ...PAGE, 'if-none-match': String(headers.etag) })
    expect([again.status, again.body.length]).toEqual([304, 0])
    const head = await get('/', PAGE, 'HEAD')
    expect([head.status, head.body.length, head.headers['content-length']]).toEqual([
      200,
      0,
      String(body.length),
    ])
  })

  it('leave to programs what they had, and are no way to any other file', async () => {
    const { get } = await setUp()
    for (const path of ['/', '/tasks/gan%3Atraining/a1']) {
      const { status, headers } = await get(path, { accept: '*/*' })
      expect([path, status, headers.location]).toEqual([path, 302, '/graphql'])
    }
    expect((await get('/graphql')).body.toString()).toMatch(/GraphiQL/i)
    for (const path of [
      '/index.html',
      '/assets',
      '/assets/',
      '/assets/none.js',
      '/assets/../index.html',
      '/assets/../../package.json',
      '/assets/%2e%2e/%2e%2e/package.json',
      '/assets/..%2f..%2fpackage.json',
      '/..%5cpackage.json',
      '/__proto__',
      '/constructor',
      '/nothing',
      '/embed',
      '/embed/task/a/b/c',
    ]) {
      const { status, body } = await get(path)
      expect([path, status]).toEqual([path, 404])
      expect(JSON.parse(body.toString()).errors[0].extensions.code).toBe('NOT_FOUND')
    }
    expect((await get('/', PAGE, 'POST')).status).toBe(302)
    expect((await get('/start', PAGE, 'POST')).status).toBe(404)
  })

  it('need no token, and have no data', async () => {
    const { get } = await setUp(SECRET_ENV)
    const { status, body } = await get('/tasks/gan%3Atraining/a1')
    expect(status).toBe(200)
    for (const path of assetsOf(body.toString())) expect((await get(path, {})).status).toBe(200)
    expect((await get('/graphql', { accept: 'application/json' })).status).toBe(401)
  })

  it('are absent where nothing was built', () => {
    const files = new DashboardFiles(null)
    expect(files.find('/', { method: 'GET', headers: PAGE } as never)).toBeNull()
  })
})

it('the page loads less than 200 KB of JavaScript at first, compressed', () => {
  const html = readFileSync(join(BUILT, 'index.html'), 'utf8')
  const scripts = assetsOf(html).filter((path) => path.endsWith('.js'))
  expect(scripts.length).toBeGreaterThan(0)
  const sizes = scripts.map((path) => gzipSync(readFileSync(join(BUILT, path)), { level: 9 }).length)
  const first = sizes.reduce((sum, size) => sum + size, 0)
  expect(first).toBeLessThan(200_000)
  expect(first).toBeGreaterThan(20_000)
  // What charts are drawn with comes with the first page that has one.
  expect(readdirSync(join(BUILT, 'assets')).length).toBeGreaterThan(scripts.length + 2)
})
