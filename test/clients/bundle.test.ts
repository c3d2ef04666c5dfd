import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { rolldown } from 'rolldown'
import { describe, expect, it } from 'vitest'
import { temporaryFolder } from '../support/temporary-folder.ts'

const CLIENT = join(import.meta.dirname, '../../clients/typescript/index.ts')

/** A page's script that uses these exports of the client, with everything that they need, graphql-ws and graphql among it. */
async function bundle(...names: string[]): Promise<{ code: string; kib: number }> {
  const folder = temporaryFolder()
  const input = join(folder, 'page.js')
  writeFileSync(input, `export { ${names.join(', ')} } from ${JSON.stringify(CLIENT)}`)
  const build = await rolldown({
    input,
    platform: 'browser',
    resolve: { modules: [join(import.meta.dirname, '../../node_modules')] },
    onLog: (_, log) => {
      throw new Error(log.message)
    },
  })
  const { output } = await build.generate({ minify: true })
  expect(output).toHaveLength(1)
  const { code } = output[0]
  return { code, kib: gzipSync(code, { level: 9 }).length / 1024 }
}

describe('what a page loads of the client', () => {
  // With everything in it: graphql-ws is 3.2 KiB of each but the fold.
  it.each([
    ['the fold', 1.5, ['foldEvent', 'initialView']],
    ['a resuming client', 7.5, ['createResumingClient']],
    ['the core', 12, ['createResumingClient', 'foldEvent', 'initialView', 'CurveSet']],
    // With what it has of Node's for its file, which a page does not need.
    ['a reporter', 9, ['createReporter']],
    ['a client of its own', 8, ['createClient', 'EpochcastClientError']],
    ['a client of its own, with curves', 11, ['createClient', 'curves', 'foldEvent', 'initialView']],
    [
      'all of it',
      14.5,
      ['createResumingClient', 'createClient', 'foldEvent', 'initialView', 'curves', 'CurveSet'],
    ],
  ])('of %s is at most %d KiB, compressed', async (_, max, names) => {
    expect((await bundle(...names)).kib).toBeLessThan(max)
  })

  it('has no document that is not used, and nothing of Node', async () => {
    const words = ['"Document"', 'trainingProgress', 'createViewLink', 'taskUpdates', 'node:', 'require(']
    const has = async (...names: string[]) => {
      const { code } = await bundle(...names)
      return words.filter((word) => code.replaceAll('`', '"').includes(word))
    }
    expect(await has('foldEvent')).toEqual([])
    // It looks for these two in documents of others.
    expect(await has('createResumingClient')).toEqual(['trainingProgress', 'taskUpdates'])
    expect(await has('createClient')).toEqual(['"Document"', 'trainingProgress', 'taskUpdates'])
    expect(await has('createReporter')).toEqual([])
    expect(await has('CreateViewLinkDocument')).toEqual(['"Document"', 'createViewLink'])
  })
})
