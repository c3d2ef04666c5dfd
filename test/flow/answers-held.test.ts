import { expect, it, onTestFinished, vi } from 'vitest'
import { AnswerRoom, AnswerSize } from '../../src/execution/answer-room.ts'
import { progressReports, report, run, startExternal } from '../support/graphql.ts'
import { RawConnection } from '../support/raw-connection.ts'
import { testServer } from '../support/server.ts'
import { until } from '../support/until.ts'

it('what an answer holds counts for the address that asks, and is given back with it', async () => {
  const begin = vi.spyOn(AnswerRoom.prototype, 'begin')
  const add = vi.spyOn(AnswerSize.prototype, 'add')
  onTestFinished(() => {
    begin.mockRestore()
    add.mockRestore()
  })
  const { url } = await testServer()
  const id = await startExternal(url)
  await report(url, id, ...progressReports(1, 500))
  begin.mockClear()
  add.mockClear()
  const query = `{ task(id: "${id}") { series(names: ["loss"]) { points { step value } } } }`
  await run(url, query)
  const other = new RawConnection(url, { localAddress: '127.0.0.2' }).post(query)
  await until('the answer', () => other.text.includes('"points"'))
  expect(begin.mock.calls).toEqual([['127.0.0.1'], ['127.0.0.2']])
  expect(add).toHaveBeenCalled()
  expect(new Set(begin.mock.contexts as AnswerRoom[]).size).toBe(1)
  expect((begin.mock.contexts[0] as AnswerRoom).size).toBe(0)
})
