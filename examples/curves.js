// The curves of a task's whole life, and as they grow:  node examples/curves.js http://localhost:4000/graphql TASK_ID
import { createClient, curves } from 'epochcast/client'
import { WebSocket } from 'ws' // only for Node before 22

const [url, taskId] = process.argv.slice(2)
const client = createClient({ url, webSocketImpl: WebSocket })
for await (const { task, curves: all } of curves(client, { taskId, maxPoints: 500 })) {
  for (const { name, phase, points } of all) {
    // Your chart takes all points, by step; here is the last. A page waits for its next frame before it goes on.
    console.log(task.status, phase ?? '', name, points.length, points.at(-1)?.value)
  }
}
await client.dispose()
