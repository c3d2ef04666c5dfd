import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { findChromium } from '../../provide.js'
import { until } from '../../support/until.ts'

/** A tab of a window with others, which is hidden where another is in front. */
export interface Tab {
  /** What an expression of the page comes to, awaited. */
  evaluate<T>(expression: string): Promise<T>
  bringToFront(): Promise<void>
}

/** A Chromium whose tabs can be hidden: those that playwright drives are all in front, whichever is. */
export async function openTabs(...urls: string[]): Promise<Tab[]> {
  const folder = mkdtempSync(join(tmpdir(), 'epochcast-tabs-'))
  const args = ['--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-quic']
  const away = ['--disable-background-networking', '--disable-component-update', '--disable-sync']
  const own = ['--remote-debugging-port=0', `--user-data-dir=${folder}`, 'about:blank']
  const child = spawn(findChromium() ?? 'chromium', [...args, ...away, ...own])
  const ended = once(child, 'close')
  onTestFinished(async () => {
    child.kill()
    await ended
    rmSync(folder, { recursive: true, force: true })
  })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  const [address = ''] = await until('Chromium', () => /ws:\/\/\S+/.exec(said))
  const socket = new WebSocket(address)
  await once(socket, 'open')
  const answers = new Map<number, (answer: Answer) => void>()
  socket.on('message', (text) => {
    const answer: Answer = JSON.parse(String(text))
    answers.get(answer.id)?.(answer)
  })
  let calls = 0
  const call = async (method: string, params: object, sessionId?: string): Promise<Result> => {
    const id = ++calls
    const answer = new Promise<Answer>((resolve) => answers.set(id, resolve))
    socket.send(JSON.stringify({ id, method, params, sessionId }))
    const { result, error } = await answer
    if (!result) throw new Error(`${method}: ${error?.message}`)
    return result
  }
  const open = async (url: string): Promise<Tab> => {
    const { targetId } = await call('Target.createTarget', { url })
    const { sessionId } = await call('Target.attachToTarget', { targetId, flatten: true })
    return {
      evaluate: async (expression) => {
        const params = { expression, awaitPromise: true, returnByValue: true }
        const { result, exceptionDetails } = await call('Runtime.evaluate', params, sessionId as string)
        if (exceptionDetails) throw new Error(`${expression}: ${JSON.stringify(exceptionDetails)}`)
        return (result as { value: never }).value
      },
      bringToFront: async () => void (await call('Target.activateTarget', { targetId })),
    }
  }
  const tabs: Tab[] = []
  for (const url of urls) tabs.push(await open(url))
  return tabs
}

type Result = Readonly<Record<string, unknown>>

interface Answer {
  readonly id: number
  readonly result?: Result
  readonly error?: { readonly message: string }
}
