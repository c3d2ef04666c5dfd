import { readFileSync } from 'node:fs'
import type { Cluster, Redis } from 'ioredis'

type Arg = string | number

/** The scripts beside this file, as methods that ioredis makes of them. */
export interface Scripts {
  epochcastCreate(
    ...args: Arg[]
  ): Promise<[created: number, generation: string, top: string, serial: string, state: string]>
  epochcastAppend(...args: Arg[]): Promise<1 | 0 | -1>
  epochcastRead(
    ...args: Arg[]
  ): Promise<
    | [
        generation: string,
        top: string,
        oldest: string,
        previous: string,
        common: string,
        entries: [string, [string, string]][],
      ]
    | null
  >
  epochcastStartGeneration(...args: Arg[]): Promise<1 | 0>
  epochcastLease(...args: Arg[]): Promise<1 | 0>
}

/** Makes the Lua files beside this one methods of the connection; Redis keeps them, by their hash. */
export function withScripts(redis: Redis | Cluster): (Redis | Cluster) & Scripts {
  for (const [name, file] of [
    ['epochcastCreate', 'create.lua'],
    ['epochcastAppend', 'append.lua'],
    ['epochcastRead', 'read.lua'],
    ['epochcastStartGeneration', 'start-generation.lua'],
    ['epochcastLease', 'lease.lua'],
  ] as const) {
    redis.defineCommand(name, { lua: readFileSync(new URL(file, import.meta.url), 'utf8') })
  }
  return redis as (Redis | Cluster) & Scripts
}
