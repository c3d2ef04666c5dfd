import { Redis } from 'ioredis'
import { findRedisServer } from '../provide.js'
import { Daemon, type OnCrash } from './daemon.ts'
import { freePort } from './free-port.ts'
import { createFolder, removeFolder } from './lifetime.ts'

/** A real Redis of its own, on loopback, in a folder of its own. It keeps nothing on disk unless its settings say so. */
export class RedisProcess extends Daemon {
  readonly #folder = createFolder()
  readonly #args: readonly string[]

  private constructor(port: number, args: readonly string[], onCrash?: OnCrash) {
    super('Redis', port, onCrash)
    this.#args = args
  }

  /** @param args settings such as `--appendonly yes` */
  static async start(args: readonly string[] = [], onCrash?: OnCrash): Promise<RedisProcess> {
    const redis = new RedisProcess(await freePort(), args, onCrash)
    await redis.start()
    return redis
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`
  }

  /** Resolves once it has read its data and answers. */
  async start(): Promise<void> {
    const program = findRedisServer()
    if (!program) throw new Error('there is no redis-server; install it, or set REDIS_SERVER_PATH')
    const isSentinel = this.#args.includes('--sentinel')
    const settings = ['--port', `${this.port}`, '--bind', '127.0.0.1', '--dir', this.#folder]
    const args = isSentinel ? [...this.#args, ...settings] : [...settings, '--save', '', ...this.#args]
    this.spawn([program, ...args], { stdio: 'ignore' })
    await this.whenUp()
  }

  async close(): Promise<void> {
    await this.kill()
    removeFolder(this.#folder)
  }

  /** Runs commands on a connection that is closed afterwards. */
  async run<T>(commands: (client: Redis) => Promise<T>): Promise<T> {
    const client = new Redis(this.port, '127.0.0.1', { retryStrategy: () => 20 })
    client.on('error', () => {})
    try {
      return await commands(client)
    } finally {
      client.disconnect()
    }
  }

  protected async isUp(): Promise<boolean> {
    const client = new Redis(this.port, '127.0.0.1', { retryStrategy: null, maxRetriesPerRequest: 0 })
    client.on('error', () => {})
    try {
      return (await client.ping()) === 'PONG'
    } catch {
      // Nobody listens yet, or it still reads its data.
      return false
    } finally {
      client.disconnect()
    }
  }
}
