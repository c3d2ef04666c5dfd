// Every event of a training with urql, whatever happens on the way:
//   node examples/urql.js ws://localhost:4000/graphql TASK_ID
import { Client, fetchExchange, gql, subscriptionExchange } from '@urql/core'
import { createResumingClient } from 'epochcast/client'
import { WebSocket } from 'ws' // a page has its own

const [url, taskId] = process.argv.slice(2)
const socket = createResumingClient({ url, webSocketImpl: WebSocket })
const client = new Client({
  url: url.replace('ws', 'http'),
  preferGetMethod: false,
  exchanges: [
    fetchExchange,
    subscriptionExchange({
      forwardSubscription: ({ query = '', variables }) => ({
        subscribe: (sink) => ({ unsubscribe: socket.subscribe({ query, variables }, sink) }),
      }),
    }),
  ],
})

const query = gql`
  subscription ($taskId: ID!) {
    trainingProgress(taskId: $taskId, last: 1000) {
      __typename
      ... on ProgressUpdate {
        current
        loss
      }
    }
  }
`
client.subscription(query, { taskId }).subscribe(({ data, error, hasNext }) => {
  if (error) throw error
  if (!hasNext) return void socket.dispose() // with its last result once more
  const { __typename, current, loss } = data.trainingProgress
  console.log(__typename, current ?? '', loss ?? '')
})
