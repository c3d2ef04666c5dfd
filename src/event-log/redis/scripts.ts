import { readFileSync } from 'node:fs'
import type { Cluster, Redis } from 'ioredis'
import type { CreateReply, CurvesReply, OutputReply, ReadReply } from './replies.ts'

type Arg = string | number | Uint8Array

/** The scripts beside this file, as methods that ioredis makes of them. */
export interface Scripts {
  epochcastCreate(...args: Arg[]): Promise<CreateReply>
  epochcastAppend(...args: Arg[]): Promise<number>
  epochcastEdit(...args: Arg[]): Promise<number>
  epochcastDrop(...args: Arg[]): Promise<1 | 0 | -1>
  epochcastRead(...args: Arg[]): Promise<ReadReply | null>
  epochcastReadCurves(...args: Arg[]): Promise<CurvesReply | null>
  epochcastStartGeneration(...args: Arg[]): Promise<1 | 0>
  epochcastLease(...args: Arg[]): Promise<1 | 0>
  epochcastAppendOutput(...args: Arg[]): Promise<number>
  epochcastReadOutput(...args: Arg[]): Promise<OutputReply | null>
}

const SCRIPTS = {
  epochcastCreate: { file: 'create.lua', numberOfKeys: 5 },
  epochcastAppend: { file: 'append.lua', numberOfKeys: 4 },
  epochcastEdit: { file: 'edit.lua', numberOfKeys: 1 },
  epochcastDrop: { file: 'drop.lua', numberOfKeys: 5 },
  epochcastRead: { file: 'read.lua', numberOfKeys: 2 },
  epochcastReadCurves: { file: 'read-curves.lua', numberOfKeys: 3 },
  epochcastStartGeneration: { file: 'start-generation.lua', numberOfKeys: 1 },
  epochcastLease: { file: 'lease.lua', numberOfKeys: 1 },
  epochcastAppendOutput: { file: 'append-output.lua', numberOfKeys: 2 },
  epochcastReadOutput: { file: 'read-output.lua', numberOfKeys: 2 },
} satisfies { [Name in keyof Scripts]: { readonly file: string; readonly numberOfKeys: number } }

/**
 * Makes the Lua files beside this one methods of the connection; Redis keeps them, by their hash. They are called with
 * their keys first: auto-pipelining takes the first argument for the key that says which node of a cluster serves it.
 */
export function withScripts(redis: Redis | Cluster): (Redis | Cluster) & Scripts {
  for (const [name, { file, numberOfKeys }] of Object.entries(SCRIPTS)) {
    redis.defineCommand(name, { numberOfKeys, lua: readFileSync(new URL(file, import.meta.url), 'utf8') })
  }
  return redis as (Redis | Cluster) & Scripts
}
