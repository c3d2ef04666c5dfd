import { setTimeout as wait } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { reportText } from '../../clients/typescript/reporter/encode-report.ts'
import { nodeParts } from '../../clients/typescript/reporter/node.ts'
import { Notices } from '../../clients/typescript/reporter/notices.ts'
import type { Spool } from '../../clients/typescript/reporter/outbox.ts'
import { Pipeline } from '../../clients/typescript/reporter/pipeline.ts'
import { newProducer } from '../../clients/typescript/reporter/target.ts'
import { run } from '../support/graphql.ts'
import { testServer } from '../support/server.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { epochcast } from './support/terminal.ts'

/** Reports to a server that is away, with a disk that does something before it takes a batch. */
async function absent(beforeAppend: () => Promise<unknown>) {
  const server = await testServer()
  await server.close()
  const node = nodeParts()
  if (!node) throw new Error('this is Node')
  const openSpool = async (...given: Parameters<typeof node.openSpool>): Promise<Spool> => {
    const spool = await node.openSpool(...given)
    return {
      delivered: 0,
      append: async (batch) => {
        await beforeAppend()
        return spool.append(batch)
      },
      next: () => spool.next(),
      confirm: (number) => spool.confirm(number),
      close: (end) => spool.close(end),
    }
  }
  const notices: string[] = []
  const directory = temporaryFolder()
  const pipeline = new Pipeline(
    server.url,
    { producer: newProducer(), start: { trainer: 'external', name: 'away' } },
    { spoolDirectory: directory },
    new Notices((text) => notices.push(text)),
    { ...node, openSpool },
  )
  pipeline.put(reportText('progress', { current: 1, step: 1 }), null)
  return { pipeline, notices, directory }
}

describe('a run whose spool is on a slow disk', () => {
  it('says of nothing that it is delivered before it is, and loses none of it', async () => {
    const { pipeline, notices, directory } = await absent(() => wait(300))
    expect(await pipeline.flush(10)).toBe(false)
    pipeline.putEnd(reportText('success', {}))
    expect(await pipeline.close(10)).toBe(false)
    expect(notices.at(-1)).toMatch(/^epochcast: 2 reports are kept in /)
    const { url } = await testServer()
    expect((await epochcast(url, ['--url', url, 'sync', directory])).out).toContain(': 2 reports sent')
    const { edges } = (await run(url, '{ tasks { edges { node { name status current } } } }')).tasks
    expect(edges).toEqual([{ node: { name: 'away', status: 'SUCCESS', current: 1 } }])
  })

  it('ends where the disk hangs, and says what is lost', async () => {
    const { pipeline, notices } = await absent(() => new Promise(() => {}))
    pipeline.putEnd(reportText('success', {}))
    expect(await pipeline.close(10)).toBe(false)
    expect(notices.at(-1)).toBe('epochcast: 2 reports could not be delivered and are lost')
  })
})
