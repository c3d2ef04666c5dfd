// Draws a task's loss from its first step and goes on live, without a gap or a point twice:
//   node examples/live-curve.js http://localhost:4000/graphql TASK_ID
import { createClient, TaskSeriesDocument } from 'epochcast/client'
import { WebSocket } from 'ws'

const [url, taskId] = process.argv.slice(2)
const draw = (step, loss) => console.log(`${step}\t${loss}`) // your chart; a loss may be 'NaN'

const client = createClient({ url, webSocketImpl: WebSocket })
const { task } = await client.execute(TaskSeriesDocument, { id: taskId, names: ['loss'], maxPoints: 1000 })
const curve = task.series.find(({ phase, member }) => phase === null && member === null)
for (const { step, value } of curve?.points ?? []) draw(step, value)
for await (const event of client.follow({ taskId, after: task.cursor })) {
  if (event.__typename !== 'ProgressUpdate' || event.loss === null || event.member !== null) continue
  draw(event.step ?? event.current, event.loss)
}
await client.dispose()
