import { createResumingClient } from '../../../clients/typescript/resuming-client.ts'
import { FRONT_ENDS } from './front-ends.ts'

/*
 * Viewers of a training by front ends' own clients, in a page or a process of its own; bundled for these.
 */

export type FrontEnd = keyof typeof FRONT_ENDS
export const NAMES = Object.keys(FRONT_ENDS) as FrontEnd[]

export interface Viewed {
  steps: number[]
  kinds: string[]
  states: string[]
  /** What it ended with, as text; null as long as it has not ended. */
  end: string | null
}

export interface ViewerOptions {
  readonly url: string
  readonly taskId: string
  readonly webSocketImpl?: unknown
  /** A token for each connection. */
  readonly freshToken?: (() => Promise<string>) | undefined
}

const QUERY = `subscription Watch($taskId: ID!, $since: Cursor) {
  training: trainingProgress(taskId: $taskId, after: $since, last: 20000) {
    __typename
    ... on ProgressUpdate { current }
    ... on EventsSkipped { count skipReason }
  }
}`

export function startViewer(
  name: FrontEnd,
  { url, taskId, webSocketImpl, freshToken }: ViewerOptions,
): Viewed {
  const viewed: Viewed = { steps: [], kinds: [], states: [], end: null }
  const client = createResumingClient({
    url: url.replace('http', 'ws'),
    webSocketImpl,
    ...(freshToken && {
      connectionParams: async () => ({ authorization: `Bearer ${await freshToken()}` }),
    }),
    onState: ({ kind }) => {
      if (viewed.states.at(-1) !== kind) viewed.states.push(kind)
    },
  })
  const viewing = FRONT_ENDS[name](client, QUERY, { taskId }, ({ __typename, current }) => {
    viewed.kinds.push(__typename)
    if (__typename === 'ProgressUpdate') viewed.steps.push(current)
  })
  void viewing.ended.then((problem) => {
    viewed.end = problem === undefined ? 'completed' : JSON.stringify(problem)
    void client.dispose()
  })
  return viewed
}
