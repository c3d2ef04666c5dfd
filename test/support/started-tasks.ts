import { type Data, run, TASK } from './graphql.ts'
import type { TestServer } from './server.ts'
import { until } from './until.ts'

type Server = Pick<TestServer, 'url'>

/** Statuses that are final. */
export const ENDS = ['SUCCESS', 'FAILURE', 'CANCELLED']

export const taskOf = async ({ url }: Server, id: string): Promise<Data> =>
  (await run(url, TASK, { id })).task

/** The task, once it has one of the statuses. */
export const whenIs = (server: Server, id: string, ...statuses: string[]): Promise<Data> =>
  until(
    `the task to be ${statuses}`,
    async () => {
      const task = await taskOf(server, id)
      return statuses.includes(task.status) && task
    },
    60_000,
  )
