import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { describeEngines } from '../support/engines.ts'
import { report, run, START } from '../support/graphql.ts'
import { trainersFile } from '../support/server.ts'
import { ENDS, taskOf, whenIs } from '../support/started-tasks.ts'
import { until } from '../support/until.ts'

const DELETE = 'mutation ($input: DeleteTaskInput!) { deleteTask(input: $input) { taskId } }'
const OUTPUT = /* GraphQL */ `
  query ($id: ID!) { task(id: $id) { output(first: 100) { edges { node { text } } } } }`

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'epochcast-again-'))
  onTestFinished(() => rmSync(made, { recursive: true }))
  return made
}

describeEngines((open) => {
  it('a task that is started again under the id of a deleted one, whose process still ends, is run and has its own end', async () => {
    const here = folder()
    const file = (name: string) => join(here, name)
    // The first run holds out for as long as it can; the second waits for that to be over, and for a word.
    const script = `
      import { appendFileSync, existsSync, readFileSync } from 'node:fs'
      process.on('SIGTERM', () => {})
      appendFileSync(${JSON.stringify(file('runs'))}, process.pid + '\\n')
      const [, second] = readFileSync(${JSON.stringify(file('runs'))}, 'utf8').split('\\n')
      console.log(second === '' ? 'the first' : 'the second')
      setInterval(() => {
        if (second === '') return console.log('the first')
        if (existsSync(${JSON.stringify(file('asked'))})) process.exit(7)
      }, 20)`
    const server = await open({
      EPOCHCAST_TRAINERS: trainersFile({ stubborn: script }),
      EPOCHCAST_STOP_GRACE_SECONDS: '0',
      EPOCHCAST_KILL_GRACE_SECONDS: '3',
    })
    const start = async () => {
      const input = { trainer: 'stubborn', idempotencyKey: 'again' }
      return (await run(server.url, START, { input })).startTraining.task.id as string
    }
    const runs = () => (existsSync(file('runs')) ? readFileSync(file('runs'), 'utf8').trim().split('\n') : [])
    const id = await start()
    await until('the first run', () => runs().length === 1)
    await report(server.url, id, { success: {} })
    await run(server.url, DELETE, { input: { taskId: id } })
    expect(await start()).toBe(id)
    await until('the second run', () => runs().length === 2)
    await whenIs(server, id, 'RUNNING')
    const [first] = runs()
    const isGone = () => {
      try {
        return !process.kill(Number(first), 0)
      } catch {
        return true
      }
    }
    expect(isGone()).toBe(false)
    await until('the first process to be gone', isGone, 20_000)
    expect(await taskOf(server, id)).toMatchObject({ status: 'RUNNING', error: null })
    writeFileSync(file('asked'), '')
    const { status, error } = await whenIs(server, id, ...ENDS)
    expect([status, error]).toMatchObject(['FAILURE', { type: 'ExitCode' }])
    const { task } = await run(server.url, OUTPUT, { id })
    const printed = task.output.edges.map(({ node }: { node: { text: string } }) => node.text)
    expect(printed).toEqual(['the second'])
  })
})
