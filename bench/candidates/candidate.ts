// What the candidates have in common.
import type { Dialect } from '../client/dialects.ts'
import type { WatchedTask } from '../client/watched-task.ts'
import type { Cores } from '../cores.ts'
import type { MeasuredServer } from '../measured-server.ts'
import type { Reporter } from './reporters.ts'

export const ENGINES = ['memory', 'lmdb', 'lmdb without fsync', 'redis'] as const
export type Engine = (typeof ENGINES)[number]

export interface Setting {
  readonly engine: Engine
  readonly redisUrl: string | null
  readonly cores: Cores
  /** Epochcast's entry. */
  readonly server: string
  /**
   * Reports are posted to the measured server; otherwise, where there is Redis, they come from elsewhere, and the
   * measured server only delivers.
   */
  readonly reportsToItself?: boolean
  /** The bare reference stores no reports, it only broadcasts them. */
  readonly keepsNothing?: boolean
  /** Further settings of the candidate. */
  readonly env?: Record<string, string>
  /** Of Epochcast. */
  readonly workers?: number
  /** The measured server is not confined to a core of its own. */
  readonly usesAllCores?: boolean
}

/** A candidate that runs. */
export interface Standing {
  /** The one that is measured. */
  readonly server: MeasuredServer
  readonly dialect: Dialect
  readonly reporter: Reporter
  readonly createTasks: (count: number, messageLength?: number) => Promise<WatchedTask[]>
  /** Events of the task that are stored, after a look at their content; null where nothing is stored. */
  readonly countLog: (task: WatchedTask) => Promise<number | null>
  /** Bytes of the task's curves in the store; null where that cannot be known. */
  readonly curveBytes?: (task: WatchedTask) => Promise<number | null>
  readonly close: () => Promise<void>
}

export interface Candidate {
  readonly name: string
  readonly start: (setting: Setting) => Promise<Standing>
}

export const BARE = 'bare ws'
export const EPOCHCAST = 'epochcast'
/** Epochcast through doors beside graphql-transport-ws. */
export const DOORS = {
  'epochcast, GraphQL over SSE': 'sse',
  'epochcast, /events': 'events',
  'epochcast, /ws': 'plain',
} as const satisfies Record<string, Dialect>
export const WITHOUT_CURVES = 'epochcast without curves'
export const YOGA = 'documented Yoga stack'
