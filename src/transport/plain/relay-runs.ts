import { createHash } from 'node:crypto'
import { accountOf, authorize, type Caller } from '../../repository/access.ts'
import { checkIsNamed, findForCaller, getForCaller, ownPrefixes } from '../../repository/find-for-caller.ts'
import { findTasks } from '../../repository/find-tasks.ts'
import { taskQuery } from '../../repository/task-filter.ts'
import type { Services } from '../../schema/context.ts'
import { isUsableText } from '../../schema/validation.ts'
import { EpochcastError, quote } from '../../task/errors.ts'
import { LIMITS } from '../../task/limits.ts'
import { channelOf, hasEnded, isTaskId, type Json, type TaskKey, type TaskState } from '../../task/task.ts'
import { isUpTo } from '../../task/text.ts'

/** Whose messages they are, by the URL of their socket. */
export interface RelaySender {
  /** The task that it names; null for one that is found again by its name, or else by who sends. */
  readonly taskId: string | null
  readonly channelPrefix: string | null
  readonly name: string | null
}

type RunServices = Pick<Services, 'log' | 'catalog' | 'dispatch' | 'registerExternal' | 'channelPrefixes'>

/** Runs of one sender that are looked at in a row, each of which was begun meanwhile and has ended. */
const MAX_LOOKED_AT = 100

/**
 * Which task a sender's messages are for. What is known is in the store, so that another server, or this one after a restart,
 * finds the same: a sender's runs are numbered by a label, and the number is part of what their id is made of.
 */
export class RelayRuns {
  readonly #services: RunServices
  /** Silence after which a sender that names no task begins another run. */
  readonly quietMs: number

  constructor(services: RunServices, quietMs: number) {
    this.#services = services
    this.quietMs = quietMs
  }

  /**
   * Refuses a sender that can never report.
   *
   * @throws EpochcastError UNAUTHENTICATED, FORBIDDEN, CHANNEL_PREFIX_NOT_ALLOWED, TASK_NOT_FOUND, BAD_INPUT
   */
  check(caller: Caller, { taskId, channelPrefix, name }: RelaySender): void {
    authorize(caller, 'tasks:report')
    ownPrefixes(caller, channelPrefix, this.#services.channelPrefixes)
    if (taskId !== null) {
      checkTaskId(taskId)
      checkIsNamed(caller, { id: taskId, channelPrefix })
    }
    if (name !== null && (name === '' || !isUpTo(name, LIMITS.taskNameLength) || !isUsableText(name))) {
      throw new EpochcastError(
        'BAD_INPUT',
        `name is ${quote(name)}; expected 1 to ${LIMITS.taskNameLength} characters, none of them a control character`,
      )
    }
  }

  /** What sockets have in common whose messages are those of one sender. */
  keyOf(caller: Caller, sender: RelaySender): string {
    const { taskId, channelPrefix, name } = sender
    const place = taskId === null ? whoSends(caller, name) : [accountOf(caller), taskId]
    return JSON.stringify([channelPrefix, ...place])
  }

  /**
   * The task, registered where there is none.
   *
   * @param begins whether the message at hand may be the first of a run that follows one that has ended
   * @throws EpochcastError TASK_NOT_FOUND, TASK_ENDED, and what a start is refused with
   */
  find(caller: Caller, sender: RelaySender, begins: boolean): Promise<TaskKey> {
    return sender.taskId === null
      ? this.#nextOf(caller, sender, begins)
      : this.#named(caller, sender, sender.taskId)
  }

  async #named(caller: Caller, { channelPrefix, name }: RelaySender, id: string): Promise<TaskKey> {
    const asked = { id, channelPrefix, allowedPrefixes: this.#services.channelPrefixes }
    // With a token for some tasks there is none to be registered.
    const find = caller.taskIds === null ? findForCaller : getForCaller
    const found = await find(this.#services.log, caller, 'tasks:report', asked)
    if (found) return found.state.spec
    const run = { id, channelPrefix: channelPrefix ?? this.#defaultPrefix, name }
    return (await this.#services.registerExternal(caller, run)).state.spec
  }

  async #nextOf(caller: Caller, sender: RelaySender, begins: boolean): Promise<TaskKey> {
    const { name } = sender
    const channelPrefix = sender.channelPrefix ?? this.#defaultPrefix
    const relaySender = digestOf(JSON.stringify(whoSends(caller, name)))
    let { run, state } = await this.#newest(caller, channelPrefix, relaySender)
    for (let looked = 0; looked < MAX_LOOKED_AT; looked++) {
      state ??= await this.#start(caller, {
        ...{ channelPrefix, name, labels: { relaySender, relayRun: run } },
        // No other client can send such a key.
        idempotencyKey: `\0${relaySender} ${run}`,
      })
      if (!this.#isOver(state)) return state.spec
      if (!begins && hasEnded(state) && !this.#isQuiet(state.finishedAt)) throw endedBefore(state)
      run++
      state = null
    }
    throw new EpochcastError(
      'CONTENDED',
      `${MAX_LOOKED_AT} runs of this sender have ended meanwhile; try again`,
    )
  }

  async #newest(caller: Caller, channelPrefix: string, relaySender: string): Promise<Run> {
    const query = taskQuery({ channelPrefix, labels: { relaySender } }, caller)
    const page = { order: 'CREATED_DESC', after: null, limit: 1 } as const
    const [newest] = (await findTasks(this.#services.catalog, query, page)).tasks
    const state = newest?.snapshot.state ?? null
    const run = (state?.spec.labels as { relayRun?: Json } | undefined)?.relayRun
    return typeof run === 'number' ? { run, state } : { run: 0, state: null }
  }

  async #start(
    caller: Caller,
    run: Pick<RelaySender, 'channelPrefix' | 'name'> & {
      readonly labels: Json
      readonly idempotencyKey: string
    },
  ): Promise<TaskState> {
    const given = { machineId: null, epochs: null, params: {}, retryOf: null }
    const { snapshot } = await this.#services.dispatch.start(caller, {
      trainer: 'external',
      ...given,
      ...run,
    })
    return snapshot.state
  }

  get #defaultPrefix(): string {
    return this.#services.channelPrefixes[0] as string
  }

  #isOver(state: TaskState): boolean {
    return hasEnded(state) || this.#isQuiet(state.heardAt)
  }

  #isQuiet(since: number | null): boolean {
    return since !== null && Date.now() - since > this.quietMs
  }
}

/** A name is that of one training of a subject, wherever its processes are; without one it is all from one address. */
const whoSends = (caller: Caller, name: string | null): readonly (string | null)[] =>
  name === null ? [accountOf(caller)] : [caller.subject, name]

interface Run {
  readonly run: number
  readonly state: TaskState | null
}

/** @throws EpochcastError BAD_INPUT */
export function checkTaskId(id: string): void {
  if (isTaskId(id) && !/^\.+$/.test(id)) return
  throw new EpochcastError(
    'BAD_INPUT',
    `task_id is ${quote(id)}; expected 1 to ${LIMITS.taskIdLength} letters, digits and . _ -`,
  )
}

function endedBefore({ spec, status }: TaskState): EpochcastError {
  const found = `task ${quote(channelOf(spec))} of this sender ended with ${status}`
  return new EpochcastError(
    'TASK_ENDED',
    `${found}; expected a message that begins another, such as epoch_start, or status with "running"`,
    { details: { status } },
  )
}

/** Shown to all who may see the task: it is not to tell an address. */
const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16)
