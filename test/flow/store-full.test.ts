import { expect, it } from 'vitest'
import { describeEngines } from '../support/engines.ts'
import { post, report, run, START, startExternal, TASK } from '../support/graphql.ts'

const BOUNDS = {
  memory: ['EPOCHCAST_MEMORY_BYTES', 200_000],
  lmdb: ['EPOCHCAST_DATA_BYTES', 1_048_576],
  redis: ['EPOCHCAST_REDIS_BYTES', 300_000],
} as const

describeEngines((open, engine) => {
  it('a start that has no room is refused in words, and has room once another task has ended', async () => {
    const [setting, bytes] = BOUNDS[engine]
    const { url } = await open({ [setting]: `${bytes}`, EPOCHCAST_STORE_SHARE: '100' })
    const labels = { text: 'x'.repeat(8000) }
    const ids: string[] = []
    let refused = await post(url, START, { input: { trainer: 'external', labels } })
    while (!refused.errors) {
      ids.push(refused.data.startTraining.task.id)
      refused = await post(url, START, { input: { trainer: 'external', labels } })
    }
    expect(ids.length).toBeGreaterThan(10)
    expect(refused.errors).toMatchObject([
      {
        message: expect.stringMatching(` of ${bytes} bytes.* raise ${setting}`),
        extensions: { code: 'STORE_FULL', retryable: true },
      },
    ])
    const [first = ''] = ids
    await report(url, first, { progress: { current: 1 } }, { success: { result: { done: true } } })
    expect((await run(url, TASK, { id: first })).task).toMatchObject({ status: 'SUCCESS', current: 1 })
    const next = await startExternal(url, { labels })
    // Finished tasks give room, running ones are all there.
    expect((await run(url, TASK, { id: first })).task).toBeNull()
    for (const id of [...ids.slice(1), next])
      expect((await run(url, TASK, { id })).task).toMatchObject({ id })
  })
})
