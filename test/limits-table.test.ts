import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const root = join(import.meta.dirname, '..')
const table = readFileSync(join(root, 'docs/limits.md'), 'utf8')
/** By its name in the table: of the server, and of what clients share with it. */
const textOf = new Map(
  ['src', 'clients/output'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true })
      .map(String)
      .filter((name) => name.endsWith('.ts'))
      .map((name) => [
        folder === 'src' ? name : `${folder}/${name}`,
        readFileSync(join(root, folder, name), 'utf8'),
      ]),
  ) as [string, string][],
)
const source = [...textOf.values()].join('\n')

it('the table of limits names nothing that is not there', () => {
  const names = [...new Set([...table.matchAll(/`([A-Z][A-Z_]+)`/g)].map(([, name]) => name as string))]
  expect(names.length).toBeGreaterThan(40)
  expect(names.filter((name) => !new RegExp(`\\b${name}\\b`).test(source))).toEqual([])
})

it('the table of limits has every setting of clients', () => {
  const settings = readFileSync(join(root, 'src/client-limits.ts'), 'utf8')
  const names = [...settings.matchAll(/^ {2}(EPOCHCAST_[A-Z_]+):/gm)].map(([, name]) => name as string)
  expect(names.length).toBeGreaterThan(10)
  const missing = names.filter((name) => !table.includes(name) && !name.includes('FORWARDED_HEADER'))
  expect(missing).toEqual([])
})

it('the table of limits has every setting that bounds something', () => {
  const settings = readFileSync(join(root, 'src/config.ts'), 'utf8')
  const bounding = /^ {4}(EPOCHCAST_(?:MAX_\w+|\w+_BYTES|\w+_PER_\w+|STORE_SHARE|RETAIN_EVENTS|LOCAL_\w+)):/gm
  const names = [...settings.matchAll(bounding)].map(([, name]) => name as string)
  expect(names.length).toBeGreaterThan(15)
  expect(names.filter((name) => !table.includes(`\`${name}\``))).toEqual([])
})

/** What grows and outlives a call: fields of classes, and variables of modules. Weak maps are as large as what has their keys. */
const COLLECTION = /= (?:new (?:Map|Set|LRUCache)\b(?!\(\[)|\[\]|\[0\])|^\s+this\.#\w+ = new LRUCache\b/
const FIELD = /^ {2}(?:private )?(?:readonly )?(#?\w+)(?::[^=]+)? = /
const VARIABLE = /^(?:export )?(?:const|let) (\w+)(?::[^=]+)? = /
const IN_CONSTRUCTOR = /^ {4}this\.(#\w+) = /

it('the table of limits has every map, set and list that outlives a call', () => {
  const rows = new Map(
    [...table.matchAll(/^\| `([\w/.-]+\.ts)` \| (.+?) \|/gm)].map(([, file, names]) => [
      file as string,
      [...(names as string).matchAll(/`([^`]+)`/g)].map(([, name]) => name as string),
    ]),
  )
  const found = new Map<string, string[]>()
  for (const [file, whole] of textOf) {
    // Wrapped types and constructors count as one line.
    const text = whole.replaceAll(/<\n[^>]*>/g, '<>')
    const names = text.split('\n').flatMap((line) => {
      // An empty list that nothing is added to is a word for none.
      if (!COLLECTION.test(line) || /^const .*: readonly .*= \[\]/.test(line)) return []
      const [, name] = FIELD.exec(line) ?? VARIABLE.exec(line) ?? IN_CONSTRUCTOR.exec(line) ?? []
      return name === undefined ? [] : [name]
    })
    if (names.length > 0) found.set(file, [...new Set(names)])
  }
  expect(found.size).toBeGreaterThan(50)
  for (const [file, names] of found) expect(rows.get(file) ?? [], file).toEqual(expect.arrayContaining(names))
  // And none that is gone; those that are made within functions are named by hand.
  for (const [file, names] of rows) {
    const text = textOf.get(file) ?? ''
    for (const name of names) expect(text, `${file} ${name}`).toContain(name)
  }
})
