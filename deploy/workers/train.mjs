// A trainer that a worker of the queue runs: what it is to do, and where to report, is in its environment.
const {
  EPOCHCAST_URL,
  EPOCHCAST_TOKEN,
  EPOCHCAST_TASK_ID,
  EPOCHCAST_CHANNEL_PREFIX,
  EPOCHCAST_ATTEMPT,
  EPOCHCAST_PARAMS,
} = process.env
const { epochs } = JSON.parse(EPOCHCAST_PARAMS)

async function report(...reports) {
  const response = await fetch(EPOCHCAST_URL, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(EPOCHCAST_TOKEN && { authorization: `Bearer ${EPOCHCAST_TOKEN}` }),
    },
    body: JSON.stringify({
      query: 'mutation ($input: ReportMetricsInput!) { reportMetrics(input: $input) { stopRequested } }',
      variables: {
        input: {
          taskId: EPOCHCAST_TASK_ID,
          channelPrefix: EPOCHCAST_CHANNEL_PREFIX,
          attempt: Number(EPOCHCAST_ATTEMPT),
          reports,
        },
      },
    }),
  })
  const { data, errors } = await response.json()
  if (errors) throw new Error(errors[0].message)
  return data.reportMetrics
}

const points = Array.from({ length: 200 }, (_, i) => [i / 200, (2 * i) / 200 + 1 + 0.1 * Math.sin(37 * i)])
let [slope, offset, loss] = [0, 0, 0]
for (let epoch = 1; epoch <= epochs; epoch++) {
  loss = 0
  for (const [x, y] of points) {
    const error = slope * x + offset - y
    loss += error ** 2 / points.length
    slope -= 0.05 * error * x
    offset -= 0.05 * error
  }
  const { stopRequested } = await report({ progress: { current: epoch, total: epochs, epoch, loss } })
  if (stopRequested) process.exit(0)
  await new Promise((done) => setTimeout(done, 100))
}
await report({ success: { result: { slope, offset, loss } } })
