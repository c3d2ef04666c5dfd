import { createClient, createResumingClient, curves } from '../../../clients/typescript/index.ts'

/*
 * A worker of a page: looks at a training with everything there is, and leaves each in the middle.
 */

interface Seen {
  readonly steps: number[]
  points: number
  results: number
}

const worker = globalThis as unknown as {
  onmessage: (event: { data: { url: string; taskId: string } }) => void
  postMessage(seen: Seen | string): void
}

async function look(url: string, taskId: string): Promise<Seen> {
  const seen: Seen = { steps: [], points: 0, results: 0 }
  const client = createClient({ url })
  for await (const event of client.watchTask({ taskId, last: 1000 })) {
    if (event.__typename === 'ProgressUpdate' && seen.steps.push(event.current) === 10) break
  }
  for await (const { curves: all } of curves(client, { taskId })) {
    seen.points = all[0]?.points.length ?? 0
    break
  }
  const resuming = createResumingClient({ url: url.replace('http', 'ws') })
  const query = `subscription { trainingProgress(taskId: "${taskId}", last: 5) { timestamp } }`
  for await (const _ of resuming.iterate({ query })) if (++seen.results === 3) break
  return seen
}

worker.onmessage = ({ data: { url, taskId } }) => {
  look(url, taskId).then(
    (seen) => worker.postMessage(seen),
    (error) => worker.postMessage(String(error)),
  )
}
