import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { run } from '../support/graphql.ts'
import { testServer } from '../support/server.ts'
import { root, startProgram, taskWithSeries } from './support/python.ts'

const env = { PYTHONPATH: join(root, 'clients/python/src') }
const SCRIPT = join(root, 'examples/two_lines.py')

describe('two_lines.py, with the package', () => {
  it('is a task with a curve, and a success at its end', async () => {
    const { url } = await testServer()
    const { ended, printed } = startProgram('python3', [SCRIPT], { ...env, EPOCHCAST_URL: url })
    expect(await ended, printed.err).toBe(0)
    const { tasks } = await run(url, '{ tasks { edges { node { id name status } } } }')
    expect(tasks.edges).toMatchObject([{ node: { name: 'slope of a line', status: 'SUCCESS' } }])
    const task = await taskWithSeries(url, tasks.edges[0].node.id)
    expect(task.points('loss', null).map(({ step }) => step)).toEqual(
      Array.from({ length: 100 }, (_, i) => i + 1),
    )
  })

  it('trains as well without a server', async () => {
    const { ended, printed } = startProgram('python3', [SCRIPT], env)
    expect(await ended).toBe(0)
    expect(printed).toEqual({ out: '', err: '' })
  })
})
