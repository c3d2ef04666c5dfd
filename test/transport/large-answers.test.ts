import { GraphQLObjectType, GraphQLSchema, GraphQLString } from 'graphql'
import { expect, it } from 'vitest'
import { ANYONE } from '../../src/repository/access.ts'
import type { Context } from '../../src/schema/context.ts'
import { OpenSubscriptions } from '../../src/transport/open-subscriptions.ts'
import { Operations } from '../../src/transport/operations.ts'
import { eventLoopTurns } from '../support/event-loop-turns.ts'

/** Operations with one field, whose text is as large as it says. */
function operationsOf(characters: number): Operations {
  const resolve = (_: unknown, __: unknown, { answer }: Context) =>
    answer?.read(
      'text',
      async () => 'x'.repeat(characters),
      ({ length }) => length,
    )
  const query = new GraphQLObjectType({ name: 'Query', fields: { text: { type: GraphQLString, resolve } } })
  return new Operations({
    introspection: true,
    addressShare: 0.5,
    trustedDocuments: null,
    schema: new GraphQLSchema({ query }),
    context: { audience: 'everybody' } as never,
    openSubscriptions: new OpenSubscriptions(10),
    onUnexpected: (error) => expect.unreachable(String(error)),
  })
}

/** In which turns of the event loop answers of two addresses that were asked for together are there. */
async function turnsOf(operations: Operations, count: number, query = '{ text }'): Promise<number[][]> {
  const turns = eventLoopTurns()
  const of = (address: string) =>
    Array.from({ length: count }, async () => {
      const operation = operations.prepare({ query }, { ...ANYONE, address })
      if (!('document' in operation)) throw operation[0]
      const { errors } = await operations.execute(operation)
      expect(errors).toBeUndefined()
      return turns.count
    })
  const both = ['1.1.1.1', '2.2.2.2'].map((address) => Promise.all(of(address)))
  return Promise.all(both)
}

it('large answers of an address that are ready together are written each in a turn of its own', async () => {
  const [one = [], other = []] = await turnsOf(operationsOf(70_000), 5)
  expect(new Set(one).size).toBe(5)
  // The two take their turns beside each other.
  expect(Math.max(...other) - Math.max(...one)).toBeLessThan(3)
})

it('an answer is as large as its text, of which a read may be in it many times', async () => {
  const query = `{ ${Array.from({ length: 20 }, (_, i) => `a${i}: text`).join(' ')} }`
  const [one = []] = await turnsOf(operationsOf(5000), 5, query)
  expect(new Set(one).size).toBe(5)
})

it('small ones wait for nothing', async () => {
  expect(new Set((await turnsOf(operationsOf(60_000), 5)).flat()).size).toBe(1)
})
