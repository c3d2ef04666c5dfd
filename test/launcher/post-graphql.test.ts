import { describe, expect, it } from 'vitest'
import { postGraphQL } from '../../src/launcher/bullmq/post-graphql.ts'
import { responds, startGateway } from '../clients/support/gateway.ts'
import { testServer } from '../support/server.ts'

const VERSION = '{ server { version } }'

describe("a worker's operation at its server", () => {
  it('has data, or the code and the words of a refusal', async () => {
    const { url } = await testServer()
    expect(await postGraphQL(url, VERSION, {}, null)).toEqual({ server: { version: expect.any(String) } })
    await expect(postGraphQL(url, '{ task(id: "") { id } }', {}, null)).rejects.toMatchObject({
      code: 'BAD_INPUT',
    })
  })

  it.each([
    [404, '<h1>Not found</h1>'],
    [502, 'bad gateway'],
    [200, ''],
    [200, '<!doctype html>'],
  ])('may be repeated after an answer with %i and %j, which is told', async (status, text) => {
    const { url } = await testServer()
    const gateway = await startGateway(url)
    gateway.behave(responds(status, text))
    await expect(postGraphQL(gateway.url, VERSION, {}, null)).rejects.toMatchObject({
      code: 'ENGINE_UNAVAILABLE',
      message: `the server at ${gateway.url} is out of reach: an answer with status ${status} is none of GraphQL`,
    })
    gateway.behave(null)
    await expect(postGraphQL(gateway.url, VERSION, {}, null)).resolves.toBeTruthy()
  })

  it('may be repeated where nobody listens', async () => {
    const { url, close } = await testServer()
    await close()
    await expect(postGraphQL(url, VERSION, {}, null)).rejects.toMatchObject({
      code: 'ENGINE_UNAVAILABLE',
      message: expect.stringMatching(/ is out of reach: .*ECONNREFUSED/),
    })
  })
})
