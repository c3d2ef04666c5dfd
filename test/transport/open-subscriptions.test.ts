import { expect, it } from 'vitest'
import { OpenSubscriptions } from '../../src/transport/open-subscriptions.ts'

it('a subscription gives back what it took once, however often it is closed', () => {
  const subscriptions = new OpenSubscriptions(4, 2)
  let letGo = 0
  const first = subscriptions.open(['a'], 'heartbeat', () => letGo++)
  subscriptions.open(['a'], 'heartbeat')
  first.close()
  first.close()
  expect(letGo).toBe(1)
  expect(subscriptions.count).toBe(1)
  expect(subscriptions.byField).toEqual(new Map([['heartbeat', 1]]))
  subscriptions.open(['a'], 'taskProgress')
  expect(() => subscriptions.open(['a'], 'heartbeat')).toThrow('this address has 2')
  expect(subscriptions.byField).toEqual(new Map(Object.entries({ heartbeat: 1, taskProgress: 1 })))
})
