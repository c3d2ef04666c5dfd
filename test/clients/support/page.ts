import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { rolldown } from 'rolldown'
import { expect, onTestFinished } from 'vitest'

/** A file of this folder as a script for pages, with everything that it needs. */
export async function bundlePage(file: string): Promise<string> {
  const build = await rolldown({
    input: join(import.meta.dirname, file),
    platform: 'browser',
    transform: { define: { 'process.env.NODE_ENV': '"development"' } },
    logLevel: 'silent',
  })
  const { output } = await build.generate({ format: 'iife' })
  return output[0].code
}

/** A file of this folder as a program for Node, which finds `ws` by itself. */
export async function bundleProgram(file: string): Promise<string> {
  const build = await rolldown({
    input: join(import.meta.dirname, file),
    platform: 'node',
    external: ['ws'],
    logLevel: 'silent',
  })
  const { output } = await build.generate({ format: 'esm', codeSplitting: false })
  return output[0].code
}

/** An empty page of this machine that runs a script, which finds the server in `serverUrl`; whatever it complains of fails the test. */
export async function openPage(
  browser: Browser,
  serverUrl: string,
  script: string,
  body?: string,
  search = '',
): Promise<Page> {
  const page = await browser.newPage()
  onTestFinished(() => page.close())
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('console', (message) => {
    // A connection that is refused is what some tests are about.
    const isOfNetwork = /WebSocket connection|Failed to load resource|favicon/.test(message.text())
    if (message.type() === 'error' && !isOfNetwork) complaints.push(message.text())
  })
  onTestFinished(() => expect(complaints).toEqual([]))
  await page.goto((await servePage(serverUrl, script, body)) + search)
  return page
}

/** The address of such a page; a page that playwright makes up itself may not call this machine. */
export async function servePage(
  serverUrl: string,
  script: string,
  body = '<div id="root"></div>',
): Promise<string> {
  const text = `<!doctype html><body>${body}<script>serverUrl = '${serverUrl}'</script><script src="page.js"></script>`
  const server = createServer(({ url }, response) => {
    const isScript = url === '/page.js'
    response.setHeader('content-type', `text/${isScript ? 'javascript' : 'html'}; charset=utf-8`)
    response.end(isScript ? script : text)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/page.html`
}
