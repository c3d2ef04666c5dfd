import { serverAudits } from 'graphql-http'
import { describe, expect, it } from 'vitest'
import { testServer } from '../support/server.ts'

/** Audits that only recommend (SHOULD, MAY) and that do not pass, with the reason. */
const DOES_NOT_PASS: Readonly<Record<string, string>> = {}

describe('the GraphQL-over-HTTP audits', () => {
  it('all pass, but for the recommendations listed here', async () => {
    const { url } = await testServer()
    const audits = serverAudits({ url, fetchFn: fetch })
    const failed: string[] = []
    for (const audit of audits) {
      const result = await audit.fn()
      if (result.status === 'ok') continue
      failed.push(`${result.status} ${audit.id} ${audit.name}: ${result.reason}`)
    }
    expect(audits.length).toBeGreaterThan(50)
    expect(failed.filter((line) => !((line.split(' ')[1] as string) in DOES_NOT_PASS))).toEqual([])
  })
})
