import { execFile } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { dataDirectory } from '../support/data-directory.ts'
import { progressReports, report, run, startExternal, TASK } from '../support/graphql.ts'
import { testServer } from '../support/server.ts'

const PROGRAM = join(import.meta.dirname, '../../bin/epochcast.js')

/** The program as it is built. */
const epochcast = (...args: string[]) =>
  promisify(execFile)(process.execPath, [PROGRAM, ...args], { env: { PATH: process.env.PATH } })

it('a data directory is looked at and copied while its server goes on, and a server goes on from the copy', async () => {
  const [path, copy] = [dataDirectory(), dataDirectory()]
  const server = await testServer({ EPOCHCAST_DATA: path })
  const id = await startExternal(server.url)
  await report(server.url, id, ...progressReports(1, 500))
  const ended = await startExternal(server.url)
  await report(server.url, ended, { success: {} })
  const { stdout } = await epochcast('data', '--data', path)
  expect(stdout).toMatch(
    /^directory +\S+\nsize +\d+\.\d MiB\ntasks +2, 1 of them unfinished\noldest +20\d\d-.*Z\n$/,
  )

  const copying = epochcast('data', 'backup', '--data', path, copy)
  let reported = 500
  let isCopied = false
  void copying.finally(() => {
    isCopied = true
  })
  while (!isCopied) {
    await report(server.url, id, ...progressReports(reported + 1, reported + 50))
    reported += 50
  }
  expect((await copying).stdout).toBe(`copied to ${copy}\n`)

  const other = await testServer({ EPOCHCAST_DATA: copy })
  const { current } = (await run(other.url, TASK, { id })).task
  expect(current % 50).toBe(0)
  expect(current).toBeGreaterThanOrEqual(500)
  await report(other.url, id, ...progressReports(current + 1, current + 1))
  expect((await run(server.url, TASK, { id })).task.current).toBe(reported)
})

it('the data command says what it cannot do', async () => {
  const path = dataDirectory()
  await expect(epochcast('data', '--data', path)).rejects.toMatchObject({
    code: 1,
    stderr: `error DATA: ${JSON.stringify(path)} has no tasks\n`,
  })
  await testServer({ EPOCHCAST_DATA: path })
  const target = dataDirectory()
  mkdirSync(target)
  writeFileSync(join(target, 'mine'), '')
  await expect(epochcast('data', 'backup', '--data', path, target)).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining('is there already; expected a new directory, or an empty one'),
  })
})

it.each(['serve', 'data', 'token'])('epochcast %s has examples', async (name) => {
  expect((await epochcast(name, '--help')).stdout).toContain('Examples:\n  $ ')
})
