import { ApolloClient, InMemoryCache } from '@apollo/client'
import { GraphQLWsLink } from '@apollo/client/link/subscriptions'
import { Client as UrqlClient } from '@urql/core'
import {
  type Curves,
  createClient,
  createResumingClient,
  curves,
  foldEvent,
  initialView,
  type StreamState,
  TaskDocument,
} from 'epochcast/client'
import { EpochcastProvider, useCurves, useStartTraining, useTask, useTrainingProgress } from 'epochcast/react'
import type { Client } from 'graphql-ws'

const socket: Client = createResumingClient({
  url: 'ws://localhost:4000/graphql',
  connectionParams: async () => ({ authorization: 'Bearer x' }),
  onState: (state: StreamState) => {
    if (state.kind === 'reconnecting') console.log(state.attempt.toFixed(), state.nextTryAt.toFixed())
  },
})
export const apollo = new ApolloClient({ link: new GraphQLWsLink(socket), cache: new InMemoryCache() })
export const urql = new UrqlClient({ url: '/graphql', preferGetMethod: false, exchanges: [] })

export async function main(taskId: string): Promise<void> {
  const client = createClient({ url: 'http://localhost:4000/graphql' })
  const { task } = await client.execute(TaskDocument, { id: taskId })
  if (!task) return
  let view = initialView(task)
  for await (const event of client.watchTask({ taskId })) {
    view = foldEvent(view, event)
    if (event.__typename === 'ProgressUpdate') {
      const loss: number | 'NaN' | 'Infinity' | '-Infinity' | null | undefined = event.loss
      console.log(loss, view.progress)
    }
  }
  for await (const newest of curves(client, { taskId, names: ['loss'] })) draw(newest)
}

function draw({ curves, task }: Curves): void {
  for (const { name, points } of curves) console.log(task.status, name, points.at(-1)?.value)
}

function Viewer({ taskId }: { taskId: string | null }) {
  const { task, state, error } = useTask(taskId)
  const { curves: all } = useCurves(taskId, { names: ['loss'] })
  const { events } = useTrainingProgress(taskId, { onEvent: (event) => console.log(event.cursor) })
  const [start, { isPending }] = useStartTraining()
  return (
    <button type="button" disabled={isPending} onClick={() => void start({ trainer: 'tvae' })}>
      {error?.message ?? task?.status ?? state.kind} {all.length} {events.length}
    </button>
  )
}

export const views = [socket, apollo, urql, createClient({ url: '/graphql' })].map((client) => (
  <EpochcastProvider client={client}>
    <Viewer taskId={null} />
  </EpochcastProvider>
))
export const byUrl = (
  <EpochcastProvider url="/graphql" token={async () => 'x'}>
    <Viewer taskId="1" />
  </EpochcastProvider>
)
