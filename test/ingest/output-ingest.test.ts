import { afterEach, expect, it } from 'vitest'
import { MemoryStore } from '../../src/event-log/memory.ts'
import { OutputWriter } from '../../src/event-log/output-writer.ts'
import { OutputIngest } from '../../src/ingest/output-ingest.ts'
import { LIMITS } from '../../src/task/limits.ts'
import { skippedNote } from '../../src/task/output.ts'
import { append, createTask, succeeded } from '../support/tasks.ts'

const store = new MemoryStore({ retainEvents: 100, retainSeconds: 86_400, maxBytes: 1_000_000 })
afterEach(() => store.close())

it('takes output of a task that has ended for a while, to the millisecond', async () => {
  const key = await createTask(store)
  await append(store, key, succeeded())
  const endedAt = (await store.snapshot(key))?.state.finishedAt
  if (endedAt == null) throw new Error('it has not ended')
  let now = endedAt + LIMITS.outputAfterEndMs
  const ingest = new OutputIngest(store, new OutputWriter(store.output), {
    ...{ channelPrefixes: ['gan:training'], linesPerSecond: null, now: () => now },
  })
  const lines = [skippedNote(1, '')]
  const send = () => ingest.append(key, { lines, producer: null, firstSequence: null, attempt: null })
  await send()
  now++
  await expect(send()).rejects.toMatchObject({ code: 'TASK_ENDED', details: { status: 'SUCCESS' } })
  expect((await store.output.find(key))?.extent.top).toBe(1)
})

it('takes what a process prints for the start that it is of alone', async () => {
  const first = await createTask(store, { startId: 'first' })
  const ingest = new OutputIngest(store, new OutputWriter(store.output), {
    ...{ channelPrefixes: ['gan:training'], linesPerSecond: null },
  })
  const send = (startId: string) =>
    ingest.append(
      { ...first, startId },
      { lines: [skippedNote(1, '')], producer: null, firstSequence: null, attempt: null },
    )
  await expect(send('another')).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' })
  await send('first')
  expect((await store.output.find(first))?.extent.top).toBe(1)
})
