// A monitor of all trainings with graphql-ws alone:  node examples/monitor.js ws://localhost:4000/graphql
import { createClient } from 'graphql-ws'
import { WebSocket } from 'ws' // a page has its own

const [url] = process.argv.slice(2)
const client = createClient({
  url,
  webSocketImpl: WebSocket,
  // By default it comes back only after a close frame, and five times at most: a server that restarts or a laptop
  // that wakes up would be the end of every subscription.
  shouldRetry: () => true,
  retryAttempts: Number.POSITIVE_INFINITY,
  retryWait: () => new Promise((resolve) => setTimeout(resolve, 500 + 1000 * Math.random())),
})

// Opens with the tasks that are not over and those that ended within the last hour, also when it comes back.
const query = 'subscription { taskUpdates { id name status progress loss } }'
for await (const { data, errors } of client.iterate({ query })) {
  if (errors) throw new Error(errors[0].message)
  const { id, name, status, progress, loss } = data.taskUpdates
  console.log([name ?? id, status, progress, loss].join('\t'))
}
