// Every event of a training with graphql-ws, whatever happens on the way:
//   node examples/resuming.js ws://localhost:4000/graphql TASK_ID
import { createResumingClient } from 'epochcast/client'
import { WebSocket } from 'ws' // a page has its own

const [url, taskId] = process.argv.slice(2)
const client = createResumingClient({
  url, // and everything else that graphql-ws' createClient takes
  webSocketImpl: WebSocket,
  onState: ({ kind, attempt }) => console.log('state', kind, attempt ?? ''),
})

const query = `subscription ($taskId: ID!) {
  trainingProgress(taskId: $taskId, last: 1000) { __typename ... on ProgressUpdate { current loss } }
}`
for await (const { data, errors } of client.iterate({ query, variables: { taskId } })) {
  if (errors) throw new Error(errors[0].message)
  const { __typename, current, loss } = data.trainingProgress
  console.log(__typename, current ?? '', loss ?? '')
}
await client.dispose()
