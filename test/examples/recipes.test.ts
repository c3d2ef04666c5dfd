import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '../..')
const read = (file: string) => readFileSync(join(root, file), 'utf8')

/** Documents whose code is shown to be copied. */
const DOCUMENTS = ['README.md', 'docs/recipes.md', 'docs/queues.md']
/** Where the tests stand that run it. */
const TESTS = ['test/examples', 'test/python']

/** `<!-- examples/x.py -->`, and the code block below. */
const SHOWN_FILE = /^<!-- (\S+) -->\n```\w+\n([\s\S]*?)^```$/gm

interface ShownFile {
  readonly document: string
  readonly file: string
  readonly code: string
}

const shownFiles: readonly ShownFile[] = DOCUMENTS.flatMap((document) =>
  [...read(document).matchAll(SHOWN_FILE)].map(([, file = '', code = '']) => ({ document, file, code })),
)
const examples = readdirSync(join(root, 'examples'), { withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map(({ name }) => `examples/${name}`)

describe('the recipes', () => {
  it.each(shownFiles)('$document shows $file as it is', ({ file, code }) => {
    expect(code).toBe(read(file))
  })

  it('are all files', () => {
    const recipes = read('docs/recipes.md')
    const blocks = recipes.match(/^```\w+$/gm) ?? []
    expect(blocks.length).toBe(recipes.match(SHOWN_FILE)?.length)
  })

  it.each(examples)('%s is shown, and a test runs it', (example) => {
    expect(shownFiles.map(({ file }) => file)).toContain(example)
    const tests = TESTS.flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
        .filter((name) => /\.(ts|py)$/.test(name))
        .map((name) => read(join(folder, name))),
    )
    const name = example.replace('examples/', '')
    const named = new RegExp(`\\b${name}\\b|^from ${name.replace('.py', '')} import`, 'm')
    expect(tests.filter((test) => named.test(test))).not.toEqual([])
  })
})
