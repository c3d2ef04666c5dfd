import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { killedTraining } from '../clients/support/killed-training.ts'
import { run } from '../support/graphql.ts'
import { testServer } from '../support/server.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { root, startProgram } from './support/python.ts'

const env = { PYTHONPATH: join(root, 'clients/python/src') }
const EVENTS = /* GraphQL */ `{ tasks(first: 2) { edges { node { name events(first: 200) { edges { node {
  ... on ProgressUpdate { step } } } } } } } }`

/** The steps of the only task. */
async function stepsOf(url: string): Promise<number[]> {
  const { edges } = (await run(url, EVENTS)).tasks
  expect(edges).toHaveLength(1)
  return edges[0].node.events.edges.flatMap(({ node }: { node: { step?: number } }) => node.step ?? [])
}

const steps = Array.from({ length: 100 }, (_, i) => i + 1)

it('what a training in JavaScript has left is sent by the sync of Python', async () => {
  const directory = temporaryFolder()
  const { url } = await testServer()
  await killedTraining(url, directory)
  const { ended, printed } = startProgram(
    'python3',
    ['-m', 'epochcast', 'sync', directory, '--url', url],
    env,
  )
  expect(await ended, printed.err).toBe(0)
  expect(printed.out).toContain('1 of 1 files sent')
  expect(await stepsOf(url)).toEqual(steps)
  expect(readdirSync(directory)).toEqual([])
})

it('what a training in Python has left is sent by the sync of the command line', async () => {
  const directory = temporaryFolder()
  const code = `
import epochcast
run = epochcast.start('python', url='http://127.0.0.1:9', spool_dir=${JSON.stringify(directory)})
for step in range(1, 101):
    run.log({'loss': float('nan'), 'gr\u00f6\u00dfe': step}, step=step)
run.success()`
  const training = startProgram('python3', ['-c', code], env)
  expect(await training.ended, training.printed.err).toBe(0)
  const { url } = await testServer()
  const sync = startProgram(process.execPath, ['bin/epochcast.js', '--url', url, 'sync', directory])
  expect(await sync.ended, sync.printed.err).toBe(0)
  expect(await stepsOf(url)).toEqual(steps)
  expect(readdirSync(directory)).toEqual([])
})
