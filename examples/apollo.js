// Every event of a training with Apollo Client, whatever happens on the way:
//   node examples/apollo.js ws://localhost:4000/graphql TASK_ID
import { ApolloClient, gql, InMemoryCache } from '@apollo/client'
import { GraphQLWsLink } from '@apollo/client/link/subscriptions'
import { createResumingClient } from 'epochcast/client'
import { WebSocket } from 'ws' // a page has its own

const [url, taskId] = process.argv.slice(2)
const socket = createResumingClient({ url, webSocketImpl: WebSocket })
const client = new ApolloClient({ link: new GraphQLWsLink(socket), cache: new InMemoryCache() })

const query = gql`
  subscription ($taskId: ID!) {
    trainingProgress(taskId: $taskId, last: 1000) {
      ... on ProgressUpdate {
        current
        loss
      }
    }
  }
`
// An event is no entity: the cache has nothing to do with it.
client.subscribe({ query, variables: { taskId }, fetchPolicy: 'no-cache' }).subscribe({
  next: ({ data, error }) => {
    if (error) throw error
    const { __typename, current, loss } = data.trainingProgress
    console.log(__typename, current ?? '', loss ?? '')
  },
  complete: () => socket.dispose(),
})
