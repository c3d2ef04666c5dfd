import type { Agent } from 'node:http'
import { REPORTER_LIMITS } from './limits.ts'
import type { Spool } from './outbox.ts'
import type { Post } from './report-server.ts'
import { SPOOL_SUFFIX, SPOOL_VERSION, SpoolFile } from './spool-file.ts'
import { type DeliveryTarget, type ReportedTask, randomId } from './target.ts'

/** What the reporter uses of Node, where it runs in it. Nothing is imported, so that a page's bundle has nothing of it. */
export interface NodeParts {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly gzip: (text: string) => Promise<Uint8Array>
  /** Less than half as expensive as `fetch` (`bench/report-transports.ts`), over one connection. */
  readonly post: Post
  /** @throws the system's error, where the disk is full or away */
  openSpool(directory: string, prefix: string, url: string, target: DeliveryTarget): Promise<Spool>
  /** Calls back once nothing is left to do for the process, which then waits for what is begun. */
  beforeExit(run: (code: number) => void): void
  forgetExit(run: (code: number) => void): void
}

type Builtins = Pick<NodeJS.Process, 'getBuiltinModule'>

/** Null in a page. */
export function nodeParts(): NodeParts | null {
  const { process } = globalThis
  if (typeof process !== 'object' || typeof (process as Partial<Builtins>).getBuiltinModule !== 'function')
    return null
  return {
    env: process.env,
    post: nodePost(process),
    gzip: (text) => {
      const { gzip } = process.getBuiltinModule('zlib')
      return new Promise((resolve, reject) =>
        gzip(text, { level: 1 }, (error, bytes) => (error ? reject(error) : resolve(bytes))),
      )
    },
    async openSpool(directory, prefix, url, target) {
      const files = process.getBuiltinModule('fs/promises')
      const { join } = process.getBuiltinModule('path')
      await files.mkdir(directory, { recursive: true })
      const header = {
        version: SPOOL_VERSION,
        url,
        host: process.getBuiltinModule('os').hostname(),
        ...target,
      }
      const spool = await SpoolFile.create(files, join(directory, prefix + spoolName(process.pid)), header)
      // It ends with the process, or fails once the file is closed.
      const timer = setInterval(
        () => spool.touch().catch(() => clearInterval(timer)),
        REPORTER_LIMITS.touchMs,
      )
      timer.unref()
      return spool
    },
    beforeExit: (run) => void process.once('beforeExit', run),
    forgetExit: (run) => void process.off('beforeExit', run),
  }
}

function nodePost(process: Builtins): Post {
  const agents = new Map<string, Agent>()
  return (address, headers, body, signal) =>
    new Promise((resolve, reject) => {
      const url = new URL(address)
      const http = process.getBuiltinModule(url.protocol === 'https:' ? 'https' : 'http')
      const agent = agents.get(url.protocol) ?? new http.Agent({ keepAlive: true, maxSockets: 1 })
      agents.set(url.protocol, agent)
      const length = typeof body === 'string' ? new TextEncoder().encode(body).length : body.length
      const options = { method: 'POST', agent, signal, headers: { ...headers, 'content-length': length } }
      const request = http.request(url, options, (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => {
          text += chunk
          if (text.length > REPORTER_LIMITS.replyLength) request.destroy(new Error('the reply is too large'))
        })
        response.on('error', reject)
        response.on('end', () => {
          const { statusCode: status = 0, headers } = response
          resolve({ status, retryAfter: headers['retry-after'] ?? null, text })
        })
      })
      request.on('error', reject)
      request.end(body)
    })
}

/** In the order in which they were begun; the process is in it, so that `sync` leaves alone what is still written. */
function spoolName(pid: number): string {
  const time = new Date().toISOString().replace(/[-:]|\..*/g, '')
  return `${time}-${pid}-${randomId(4)}${SPOOL_SUFFIX}`
}

/** The task that a launcher started this process for; null where it is none. */
export function launchedTask(env: NodeParts['env']): ReportedTask | null {
  const {
    EPOCHCAST_TASK_ID: taskId,
    EPOCHCAST_CHANNEL_PREFIX: channelPrefix,
    EPOCHCAST_ATTEMPT: attempt,
  } = env
  if (!taskId) return null
  return {
    taskId,
    ...(channelPrefix && { channelPrefix }),
    ...(attempt && /^\d+$/.test(attempt) && { attempt: Number(attempt) }),
  }
}
