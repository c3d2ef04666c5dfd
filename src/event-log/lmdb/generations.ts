import { newGeneration } from '../log-extent.ts'
import { topOf, withHead } from './head.ts'
import { loadOutputs, sealedOutput } from './output-head.ts'
import { serialKey, type Tables } from './tables.ts'

/** Tasks whose heads are written in one transaction. */
const TOGETHER = 1000

/**
 * Gives every log a new generation that has all of it in common with the one before: for a file that may lack the newest
 * of what was shown. A viewer that has seen no more than there is goes on from its place; one that has is told how much
 * is gone. Flushing is left to the caller.
 */
export function renewGenerations({ root, tasks, output }: Tables): void {
  renewOutputs(root, output)
  for (let start: Buffer | undefined; ; ) {
    const records = [
      ...tasks.getRange({ ...(start ? { start, exclusiveStart: true } : {}), limit: TOGETHER }),
    ]
    root.transactionSync(() => {
      for (const { key, value } of records) {
        const renewed = withHead(key, value, (head) => ({
          ...head,
          generation: newGeneration(),
          previous: topOf(head),
        }))
        if (renewed) tasks.putSync(key, renewed)
      }
    })
    start = records.at(-1)?.key
    if (records.length < TOGETHER) return
  }
}

/** As of the logs, of what trainers printed. */
function renewOutputs(root: Tables['root'], output: Tables['output']): void {
  const heads = loadOutputs(output, () => {})
  root.transactionSync(() => {
    for (const [serial, { generation, top, ...head }] of heads) {
      const renewed = { ...head, top, generation: newGeneration(), previous: { generation, offset: top } }
      output.putSync(serialKey(serial), sealedOutput(serial, renewed))
    }
  })
}
