import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { DEFINITIONS, HISTOGRAMS } from '../../src/metrics/definitions.ts'
import { ERROR_CODES } from '../../src/task/errors.ts'
import { alertQueries, dashboardQueries } from '../support/monitoring.ts'
import { testServer } from '../support/server.ts'

const deploy = join(import.meta.dirname, '../../deploy')

/** Of another server than ours: Prometheus makes it itself. */
const OF_PROMETHEUS = 'up'

/** The metrics in an expression, and the labels that it selects, groups by or shows. */
function namesIn(expr: string): { metrics: string[]; labels: string[] } {
  const metrics = [...expr.matchAll(/\b((?:epochcast|process|nodejs)_[a-z0-9_]+|up)\b/g)].map(
    ([, name]) => name as string,
  )
  const selected = [...expr.matchAll(/\{([^}]*)\}/g)].flatMap(([, inside = '']) =>
    [...inside.matchAll(/(\w+)\s*=?[=~!]/g)].map(([, label]) => label as string),
  )
  const grouped = [...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, inside = '']) => inside.split(/,\s*/))
  return { metrics, labels: [...selected, ...grouped] }
}

/** Each name that a server exports, and its labels. */
async function exportedBy(url: string): Promise<Map<string, Set<string>>> {
  const exported = new Map<string, Set<string>>([[OF_PROMETHEUS, new Set()]])
  const text = await (await fetch(url.replace('/graphql', '/metrics'))).text()
  for (const [, name, type] of text.matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
    const parts = type === 'histogram' || type === 'summary' ? ['_bucket', '_sum', '_count'] : ['']
    for (const part of parts) exported.set(`${name}${part}`, new Set(part === '_bucket' ? ['le'] : []))
  }
  for (const { name, label } of DEFINITIONS) if (label) exported.get(name)?.add(label)
  for (const { name, label } of HISTOGRAMS)
    for (const part of ['_bucket', '_sum', '_count']) exported.get(`${name}${part}`)?.add(label)
  return exported
}

describe('the dashboard and the alerts', () => {
  it('ask only for what a server exports', async () => {
    const { url } = await testServer()
    const exported = await exportedBy(url)
    const queries = [...dashboardQueries(), ...alertQueries()]
    expect(queries.length).toBeGreaterThan(40)
    const wrong = queries.flatMap(({ of, expr }) => {
      const { metrics, labels } = namesIn(expr)
      const known = new Set([
        'job',
        'instance',
        ...metrics.flatMap((name) => [...(exported.get(name) ?? [])]),
      ])
      const unknown = [
        ...metrics.filter((name) => !exported.has(name)),
        ...labels.filter((label) => !known.has(label)),
        ...(metrics.length === 0 ? [`nothing in ${expr}`] : []),
      ]
      return unknown.map((name) => `${of}: ${name}`)
    })
    expect(wrong).toEqual([])
    expect(exported.has('epochcast_gone_total')).toBe(false)
  })

  it('select codes that there are', () => {
    const codes = alertQueries().flatMap(({ expr }) =>
      [...expr.matchAll(/code=~?"([^"]+)"/g)].flatMap(([, found = '']) => found.split('|')),
    )
    expect(codes.length).toBeGreaterThan(3)
    expect(codes.filter((code) => !(code in ERROR_CODES))).toEqual([])
  })

  it('would notice a name that is gone', () => {
    expect(namesIn('sum by (le, door) (rate(epochcast_gone_total{since="report"}[5m]))')).toEqual({
      metrics: ['epochcast_gone_total'],
      labels: ['since', 'le', 'door'],
    })
  })

  it('are told apart, and tested by names that there are', () => {
    const names = alertQueries().map(({ of }) => of)
    expect(new Set(names).size).toBe(names.length)
    const tests = readFileSync(join(deploy, 'prometheus/alerts.test.yml'), 'utf8')
    for (const [, name] of tests.matchAll(/alertname: (\S+)/g)) expect(names).toContain(name)
  })
})

it('docs/operations.md has every metric of the server, and none that is not', () => {
  const text = readFileSync(join(deploy, '../docs/operations.md'), 'utf8')
  const told = new Set([...text.matchAll(/`(epochcast_[a-z_]+)/g)].map(([, name]) => name as string))
  const names = [...DEFINITIONS, ...HISTOGRAMS].map(({ name }) => name)
  expect(names.filter((name) => !told.has(name))).toEqual([])
  expect([...told].filter((name) => name !== 'epochcast_workers' && !names.includes(name))).toEqual([])
})
