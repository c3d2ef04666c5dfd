import {
  createClient,
  createResumingClient,
  ReportMetricsDocument,
  StartTrainingDocument,
} from 'epochcast/client'
import { WebSocket } from 'ws'

const [url] = process.argv.slice(2)
const client = createClient({ url, webSocketImpl: WebSocket })
const { startTraining } = await client.execute(StartTrainingDocument, { input: { trainer: 'external' } })
const taskId = startTraining.task.id
const reports = [{ progress: { current: 1, loss: 0.5 } }, { success: {} }]
await client.execute(ReportMetricsDocument, { input: { taskId, reports } })
const kinds = []
for await (const event of client.watchTask({ taskId, last: 10 })) kinds.push(event.__typename)
const socket = createResumingClient({ url: url.replace('http', 'ws'), webSocketImpl: WebSocket })
const query = `subscription { trainingProgress(taskId: "${taskId}", last: 10) { __typename } }`
const again = []
for await (const { data } of socket.iterate({ query })) again.push(data.trainingProgress.__typename)
await client.dispose()
await socket.dispose()
if (kinds.join() !== again.join() || kinds.at(-1) !== 'StreamClosing') throw new Error(`${kinds} / ${again}`)
console.log(kinds.join())
