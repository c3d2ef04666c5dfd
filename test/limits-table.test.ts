import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const root = join(import.meta.dirname, '..')
const table = readFileSync(join(root, 'docs/limits.md'), 'utf8')
const source = readdirSync(join(root, 'src'), { recursive: true })
  .filter((name) => String(name).endsWith('.ts'))
  .map((name) => readFileSync(join(root, 'src', String(name)), 'utf8'))
  .join('\n')

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
