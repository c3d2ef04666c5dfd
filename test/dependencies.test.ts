import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const root = join(import.meta.dirname, '..')
const { dependencies, optionalDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const names = Object.keys({ ...dependencies, ...optionalDependencies }).sort()

it('the README says of each dependency what it is for, and of none that is not', () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8')
  const [, table = ''] = /^## Dependencies\n(.*?)^## /ms.exec(readme) ?? []
  const rows = [...table.matchAll(/^\| (`.*`) \| (.+) \|$/gm)]
  const told = rows.flatMap(([, packages = '']) =>
    [...packages.matchAll(/`([^`]+)`/g)].map(([, name]) => name),
  )
  expect(told.sort()).toEqual(names)
})

interface Component {
  readonly name: string
  readonly version: string
  readonly licenses?: readonly unknown[]
  readonly properties?: readonly { readonly name: string }[]
}

// With --omit=dev, which NODE_ENV=production stands for, npm leaves out what dependencies of development need, too: graphql and ws.
it('the bill of materials has each of them, with version and license, and marks what only development needs', () => {
  const text = execFileSync('npm', ['run', '--silent', 'sbom'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const { bomFormat, components } = JSON.parse(text) as { bomFormat: string; components: Component[] }
  expect(bomFormat).toBe('CycloneDX')
  const isOfDevelopment = ({ properties = [] }: Component) =>
    properties.some(({ name }) => name === 'cdx:npm:package:development')
  const named = (name: string) => components.filter((component) => component.name === name)
  for (const name of names) {
    const found = named(name).filter((component) => !isOfDevelopment(component))
    // Of some a dependency brings another version of its own.
    expect([name, found.length > 0]).toEqual([name, true])
    for (const { version, licenses } of found) {
      expect(version).toMatch(/^\d+\.\d+\.\d+/)
      expect(licenses).toHaveLength(1)
    }
  }
  expect(named('vitest').map(isOfDevelopment)).toEqual([true])
})

it('the lock file names no place to download from', () => {
  expect(readFileSync(join(root, 'package-lock.json'), 'utf8')).not.toMatch(
    /"resolved"|https?:\/\/[^"]*\.tgz/,
  )
})
