import { useCallback, useEffect, useRef, useState, useSyncExternalStore } from 'react'
import type { CurvesRequest } from '../typescript/curves.ts'
import { EpochcastClientError } from '../typescript/error.ts'
import type { TrainingProgressEvent } from '../typescript/follow.ts'
import {
  StartTrainingDocument,
  type StartTrainingInput,
  type StartTrainingMutation,
} from '../typescript/generated/graphql.ts'
import { DEFAULT_RETRY, retryDelayMs } from '../typescript/retry.ts'
import { type CurvesSnapshot, CurvesStore, NO_CURVES } from './curves-store.ts'
import { type HeartbeatSnapshot, HeartbeatStore, NO_HEARTBEAT } from './heartbeat-store.ts'
import { NO_OUTPUT, type OutputSnapshot, OutputStore } from './output-store.ts'
import { useRegistry } from './provider.ts'
import type { Source } from './source.ts'
import type { Status, Store } from './store.ts'
import { NO_TASKS, type TasksRequest, type TasksSnapshot, TasksStore } from './tasks-store.ts'
import { NO_TRAINING, type TrainingSnapshot, TrainingStore } from './training-store.ts'

export interface SuspenseOption {
  /** Suspends until there is something to show (below `<Suspense>`). Not on a server: there nothing is fetched. */
  readonly suspense?: boolean | undefined
}

export interface TrainingOptions extends SuspenseOption {
  readonly channelPrefix?: string | undefined
  /** Replays this many of the newest events first; 100 by default. */
  readonly last?: number | undefined
  /** Begins after this cursor instead. */
  readonly after?: string | undefined
  /** Events that are kept; 1000 by default. */
  readonly maxEvents?: number | undefined
  /**
   * Every event once and in order, at once and not only once a frame. A component that joins a subscription of others
   * begins with its newest events: `last` of them, or `maxEvents` where that is more.
   */
  readonly onEvent?: ((event: TrainingProgressEvent) => void) | undefined
}

const DEFAULT_LAST = 100
const DEFAULT_MAX_EVENTS = 1000

/**
 * The events of a training as they come, each once and in order, and the task that they make. Components with the same
 * arguments share one subscription.
 *
 * @param taskId null where there is none yet
 */
export function useTrainingProgress(
  taskId: string | null | undefined,
  {
    channelPrefix,
    last = DEFAULT_LAST,
    after,
    maxEvents = DEFAULT_MAX_EVENTS,
    onEvent,
    suspense,
  }: TrainingOptions = {},
): TrainingSnapshot {
  const create = (source: Source) =>
    new TrainingStore(source, { taskId: taskId ?? '', channelPrefix, last, after }, maxEvents)
  const store = useStoreOf(
    taskId == null ? null : ['training', taskId, channelPrefix, last, after, maxEvents],
    create,
  )
  const newest = useRef(onEvent)
  useEffect(() => {
    newest.current = onEvent
  })
  useEffect(() => store?.onEvent(newest), [store])
  return useSnapshot(store, NO_TRAINING, suspense)
}

export interface TaskOptions extends SuspenseOption {
  readonly channelPrefix?: string | undefined
}

/** The state of a task as it changes: folded from its events, so nothing is asked for again. */
export function useTask(taskId: string | null | undefined, { channelPrefix, suspense }: TaskOptions = {}) {
  const { task, state, error } = useTrainingProgress(taskId, {
    channelPrefix,
    last: 0,
    maxEvents: 0,
    suspense,
  })
  return { task, state, error }
}

/** The curves of a task's whole life, and as they grow: each of at most `maxPoints` points, spikes and NaN kept. */
export function useCurves(
  taskId: string | null | undefined,
  { suspense, ...options }: Omit<CurvesRequest, 'taskId'> & SuspenseOption = {},
): CurvesSnapshot {
  const { channelPrefix, names, phase, member, maxPoints } = options
  const key = taskId == null ? null : ['curves', taskId, channelPrefix, names, phase, member, maxPoints]
  const store = useStoreOf(key, (source) => new CurvesStore(source, { taskId: taskId ?? '', ...options }))
  return useSnapshot(store, NO_CURVES, suspense)
}

export interface OutputOptions extends SuspenseOption {
  readonly channelPrefix?: string | undefined
  /** Begins with this many of the newest lines; 1000 by default, at most 100000. */
  readonly last?: number | undefined
  /** Lines that are kept; 10000 by default. Of very long ones fewer: 16 million characters together. */
  readonly maxLines?: number | undefined
}

export interface TaskOutput extends OutputSnapshot {
  /** Reads up to 1000 lines before the first of `lines`, where `hasEarlier` says that there are some. */
  readonly readEarlier: () => void
}

const DEFAULT_LAST_LINES = 1000
const DEFAULT_MAX_LINES = 10_000
const nothingEarlier = () => {}

/**
 * What a task's trainers print, as it comes: each line once and in order, with notes in the place of lines that are missing.
 * It ends once the task has ended and nothing more is printed.
 */
export function useTaskOutput(
  taskId: string | null | undefined,
  { channelPrefix, last = DEFAULT_LAST_LINES, maxLines = DEFAULT_MAX_LINES, suspense }: OutputOptions = {},
): TaskOutput {
  const store = useStoreOf(
    taskId == null ? null : ['output', taskId, channelPrefix, last, maxLines],
    (source) => new OutputStore(source, { taskId: taskId ?? '', channelPrefix, last }, { maxLines }),
  )
  return { ...useSnapshot(store, NO_OUTPUT, suspense), readEarlier: store?.readEarlier ?? nothingEarlier }
}

/** The newest tasks that match, and what becomes of them. */
export function useTasks({ suspense, ...request }: TasksRequest & SuspenseOption = {}): TasksSnapshot {
  const store = useStoreOf(
    ['tasks', request.filter, request.first],
    (source) => new TasksStore(source, request),
  )
  return useSnapshot(store, NO_TASKS, suspense)
}

export interface HeartbeatOptions extends SuspenseOption {
  /** 1000 by default, from 100 to 60000. */
  readonly intervalMs?: number | undefined
}

/** Proves the path from the page to the engine. */
export function useHeartbeat({ intervalMs, suspense }: HeartbeatOptions = {}): HeartbeatSnapshot {
  const store = useStoreOf(
    ['heartbeat', intervalMs],
    (source) => new HeartbeatStore(source, intervalMs ?? null),
  )
  return useSnapshot(store, NO_HEARTBEAT, suspense)
}

export type StartedTraining = StartTrainingMutation['startTraining']

export interface StartTrainingState {
  readonly isPending: boolean
  /** Of the newest start that succeeded. */
  readonly data: StartedTraining | null
  /** Of the newest start, where it failed. */
  readonly error: EpochcastClientError | null
}

const START_ATTEMPTS = 5

/**
 * Starts trainings. What may pass is tried again, up to five times, with one idempotencyKey, so that it is started once.
 *
 * @returns the function, the same in every render, whose promise rejects with what is in `error`; and how it goes
 */
export function useStartTraining(): readonly [
  (input: StartTrainingInput) => Promise<StartedTraining>,
  StartTrainingState,
] {
  const { source } = useRegistry()
  const [state, setState] = useState<StartTrainingState>({ isPending: false, data: null, error: null })
  const calls = useRef(0)
  const start = useCallback(
    async (input: StartTrainingInput) => {
      const call = ++calls.current
      const settle = (change: Partial<StartTrainingState>) => {
        if (call === calls.current) setState((before) => ({ ...before, ...change }))
      }
      settle({ isPending: true, error: null })
      try {
        const data = await startOnce(source, { idempotencyKey: randomKey(), ...input })
        settle({ isPending: false, data })
        return data
      } catch (error) {
        settle({ isPending: false, error: error as EpochcastClientError })
        throw error
      }
    },
    [source],
  )
  return [start, state]
}

async function startOnce(source: Source, input: StartTrainingInput): Promise<StartedTraining> {
  for (let attempt = 1; ; attempt++) {
    try {
      return (await source.execute(StartTrainingDocument, { input })).startTraining
    } catch (error) {
      const mayPass = error instanceof EpochcastClientError && error.retryable
      if (!mayPass || attempt === START_ATTEMPTS) throw error
      await new Promise((resolve) => setTimeout(resolve, retryDelayMs(attempt, DEFAULT_RETRY)))
    }
  }
}

/** `crypto.randomUUID` is there in pages of https only. */
function randomKey(): string {
  const part = () => Math.random().toString(36).slice(2).padEnd(11, '0')
  return `page-${Date.now().toString(36)}-${part()}${part()}`
}

function useStoreOf<S extends Store<Status>>(key: unknown[] | null, create: (source: Source) => S): S | null {
  const registry = useRegistry()
  return key === null ? null : registry.store(JSON.stringify(key), create)
}

const NOTHING_TO_WATCH = () => () => {}

function useSnapshot<S extends Status>(store: Store<S> | null, nothing: S, suspense = false): S {
  const whileNone = useCallback(() => nothing, [nothing])
  const snapshot = useSyncExternalStore(
    store?.subscribe ?? NOTHING_TO_WATCH,
    store?.getSnapshot ?? whileNone,
    store?.getServerSnapshot ?? whileNone,
  )
  // What a server renders, and a page takes over, is `nothing` itself; what is looked at later is another.
  const isOnPage = typeof (globalThis as { window?: unknown }).window !== 'undefined'
  if (suspense && store && isOnPage && !store.hasValue(snapshot)) throw store.ready()
  return snapshot
}
