import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { callIn, callInTaken, idsInList, tasksInReply } from '../../src/launcher/celery/messages.ts'
import { resultIn } from '../../src/launcher/celery/results.ts'
import { anyJson } from '../support/any-json.ts'

const replyOf = (body: unknown): string =>
  JSON.stringify({ body: Buffer.from(JSON.stringify(body)).toString('base64') })

describe('what stands in the Redis of Celery', () => {
  it('tells of tasks', () => {
    expect(callIn('{"headers":{"id":"a","parent_id":"epochcast:b"}}')).toEqual({ id: 'a', startId: 'b' })
    for (const parent of ['null', '"another task"', '7']) {
      const message = `{"headers":{"id":"a","parent_id":${parent}}}`
      expect(callInTaken(`[${message},"","celery"]`)).toEqual({ id: 'a', startId: null })
    }
    const reply = replyOf({ 'celery@one': { a: ['active', {}], b: ['reserved', {}] } })
    expect([...tasksInReply(reply)]).toEqual([
      ['a', 'active'],
      ['b', 'waiting'],
    ])
    expect(idsInList(replyOf({ 'celery@one': [{ id: 'a' }, null, 7], 'celery@two': null }))).toContain('a')
  })

  it.each([{ error: 'x' }, { error: { why: 1 } }, { a: null }, { a: 7 }, 'x', null, 7, []])(
    'of a worker that replies %j there is no task',
    (told) => {
      expect(tasksInReply(replyOf({ 'celery@one': told }))).toEqual(new Map())
      expect(idsInList(replyOf({ 'celery@one': told }))).toEqual([])
    },
  )

  it.each(['{}', '7', 'null', '"x"', '[]', '[null]', '[7]', '[{"headers":null}]', '[{"headers":{"id":7}}]'])(
    'a message %s is none',
    (text) => {
      expect(callInTaken(text)).toBeNull()
      expect(callIn(text)).toBeNull()
    },
  )

  it('is read without harm, whatever it is', () => {
    const status = fc.constantFrom('STARTED', 'RETRY', 'SUCCESS', 'FAILURE', 'REVOKED')
    const result = fc.oneof(anyJson(), fc.record({ exc_type: anyJson(), exc_message: anyJson() }))
    const meta = fc.oneof(fc.record({ status, result, traceback: anyJson() }), anyJson())
    fc.assert(
      fc.property(anyJson(), anyJson(), meta, (message, tasks, found) => {
        for (const text of [message, { headers: message }, [message], [{ headers: message }]].map(toText)) {
          callIn(text)
          callInTaken(text)
        }
        for (const read of [tasksInReply, idsInList]) read(toText(message))
        tasksInReply(replyOf(message))
        for (const read of [tasksInReply, idsInList]) read(replyOf({ 'celery@one': tasks }))
        resultIn(toText(found))
      }),
    )
    const deep = '['.repeat(100_000) + ']'.repeat(100_000)
    expect(
      resultIn(`{"status":"FAILURE","result":{"exc_type":"Deep","exc_message":[${deep}]}}`),
    ).toMatchObject({ kind: 'ended', end: { type: 'Deep', message: 'the Celery task raised Deep' } })
  })
})

const toText = (value: unknown): string => JSON.stringify(value)
