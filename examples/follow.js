// Follows a training to its end, whatever happens on the way:
//   node examples/follow.js http://localhost:4000/graphql TASK_ID
import { createClient } from 'epochcast/client'
import { WebSocket } from 'ws' // only for Node before 22

const [url, taskId] = process.argv.slice(2)
const client = createClient({ url, webSocketImpl: WebSocket })
for await (const event of client.follow({ taskId, last: 100 })) {
  console.log(event.__typename, event.cursor) // each event once: it resumes by itself
}
await client.dispose()
