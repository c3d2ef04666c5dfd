import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Registrations, registerExternal } from '../../src/dispatch/register-external.ts'
import { StartBounds } from '../../src/dispatch/start-bounds.ts'
import { MemoryStore } from '../../src/event-log/memory.ts'
import { ANYONE, type Caller, NOBODY } from '../../src/repository/access.ts'
import type { AuditEntry } from '../../src/repository/audit.ts'
import { createTask } from '../support/tasks.ts'

const run = { channelPrefix: 'gan:training', id: 'run-7' }
const noBounds = { startsPerHour: null, maxUnfinished: null, unfinishedOf: () => 0 }

let log: MemoryStore
let audited: AuditEntry[]
let registrations: Registrations
beforeEach(() => {
  log = new MemoryStore({ retainEvents: 1000, retainSeconds: 3600, maxBytes: 10_000_000 })
  audited = []
  registrations = { log, channelPrefixes: ['gan:training'], audit: (entry) => audited.push(entry) }
})
afterEach(() => log.close())

const register = (caller: Caller = ANYONE, given = run) => registerExternal(registrations, caller, given)

describe('the registration of a run that trains elsewhere', () => {
  it('creates its task under its own id, queued, of the trainer external', async () => {
    const { state } = await registerExternal(registrations, ANYONE, { ...run, machineId: 'motor-1' })
    expect(state).toMatchObject({
      status: 'QUEUED',
      attempt: 1,
      spec: { ...run, trainer: 'external', machineId: 'motor-1', holder: null, params: {} },
    })
    expect(audited).toEqual([
      expect.objectContaining({ action: 'start', trainer: 'external', task: state.spec }),
    ])
  })

  it('creates one task, however many register it at once', async () => {
    const snapshots = await Promise.all(Array.from({ length: 20 }, () => register()))
    expect(new Set(snapshots.map(({ state }) => state.spec.startId)).size).toBe(1)
    expect(audited).toHaveLength(1)
    expect((await log.list('all', null, 10)).snapshots).toHaveLength(1)
  })

  it('finds a task that there is, whoever started it', async () => {
    const spec = await createTask(log)
    const found = await register(ANYONE, spec)
    expect(found.state.spec).toEqual(spec)
    expect(audited).toEqual([])
  })

  it('asks the bounds of what is started for a new task, and not for one that there is', async () => {
    let taskCount = 0
    const startBounds = new StartBounds({ ...noBounds, maxTasks: 1, taskCount: () => taskCount })
    registrations = { ...registrations, startBounds }
    await register()
    taskCount = 1
    await register()
    await expect(register(ANYONE, { ...run, id: 'another' })).rejects.toMatchObject({
      code: 'TOO_MANY_TASKS',
    })
  })

  it.each([
    ['an id with a colon', { ...run, id: 'a:b' }, 'BAD_INPUT'],
    ['an id that is empty', { ...run, id: '' }, 'BAD_INPUT'],
    ['an id that is too long', { ...run, id: 'x'.repeat(129) }, 'BAD_INPUT'],
    ['a prefix that is not allowed', { ...run, channelPrefix: 'other' }, 'CHANNEL_PREFIX_NOT_ALLOWED'],
  ])('refuses %s', async (_, given, code) => {
    await expect(register(ANYONE, given)).rejects.toMatchObject({ code })
    expect((await log.list('all', null, 10)).snapshots).toEqual([])
  })

  it('takes an id as long as one may be', async () => {
    expect((await register(ANYONE, { ...run, id: 'x'.repeat(128) })).state.status).toBe('QUEUED')
  })

  it.each([
    ['is not known', NOBODY, 'UNAUTHENTICATED'],
    ['may not start', { ...ANYONE, scopes: new Set(['tasks:report'] as const) }, 'FORBIDDEN'],
    ['is for some tasks only', { ...ANYONE, taskIds: new Set(['run-7']) }, 'FORBIDDEN'],
    ['is for other prefixes', { ...ANYONE, channelPrefixes: new Set(['ml:training']) }, 'FORBIDDEN'],
  ])('refuses a caller that %s', async (_, caller, code) => {
    await expect(register(caller)).rejects.toMatchObject({ code })
    expect((await log.list('all', null, 10)).snapshots).toEqual([])
  })

  it('gives its labels to the tasks of a caller that has only these', async () => {
    const caller = { ...ANYONE, labels: new Map([['team', new Set(['vision'])]]) }
    expect((await register(caller)).state.spec.labels).toEqual({ team: 'vision' })
  })

  it('does not tell a caller of a task that is not its own', async () => {
    await register()
    const caller = { ...ANYONE, labels: new Map([['team', new Set(['vision'])]]) }
    await expect(register(caller)).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' })
  })
})
