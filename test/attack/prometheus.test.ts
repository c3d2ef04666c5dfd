// Beside the attacks because it needs a real Prometheus, which the other tests do without.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { freePort } from '../processes/free-port.ts'
import { createFolder, endWithUs, removeFolder } from '../processes/lifetime.ts'
import { findPrometheus } from '../provide.js'
import { progressReports, refusal, report, startExternal, TASK, WATCH } from '../support/graphql.ts'
import { alertQueries, dashboardQueries } from '../support/monitoring.ts'
import { ProtocolClient } from '../support/protocol-client.ts'
import { testServer } from '../support/server.ts'
import { until } from '../support/until.ts'

const deploy = join(import.meta.dirname, '../../deploy')

function prometheus(): string {
  const program = findPrometheus()
  if (!program) throw new Error('there is no prometheus; install it, or set PROMETHEUS_PATH')
  return program
}

const promtool = (args: readonly string[], input?: string): string =>
  execFileSync(join(dirname(prometheus()), 'promtool'), args, {
    encoding: 'utf8',
    stdio: 'pipe',
    ...(input === undefined ? {} : { input }),
  })

/** A Prometheus that scrapes one server as `deploy/` has it, but more often. */
async function scraping(
  metricsUrl: string,
): Promise<(query: string) => Promise<{ metric: Record<string, string>; value: number }[]>> {
  const folder = createFolder()
  const port = await freePort()
  const config = {
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    rule_files: [join(deploy, 'prometheus/alerts.yml')],
    scrape_configs: [{ job_name: 'epochcast', static_configs: [{ targets: [new URL(metricsUrl).host] }] }],
  }
  const file = join(folder, 'prometheus.yml')
  writeFileSync(file, JSON.stringify(config))
  const args = [
    `--config.file=${file}`,
    `--storage.tsdb.path=${folder}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ]
  const child = endWithUs(spawn(prometheus(), args, { stdio: 'ignore' }))
  onTestFinished(async () => {
    child.kill('SIGTERM')
    await once(child, 'exit')
    removeFolder(folder)
  })
  const query = async (expr: string) => {
    const response = await fetch(
      `http://127.0.0.1:${port}/api/v1/query?${new URLSearchParams({ query: expr })}`,
    )
    const { status, error, data } = (await response.json()) as {
      status: string
      error?: string
      data: { result: { metric: Record<string, string>; value: [number, string] }[] }
    }
    if (status !== 'success') throw new Error(`${expr}: ${error}`)
    return data.result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }))
  }
  await until(
    'Prometheus to be up',
    () =>
      query('vector(1)').then(
        () => true,
        () => false,
      ),
    30_000,
  )
  return query
}

it('the rules and their tests pass promtool, and so do the metrics', async () => {
  expect(promtool(['check', 'rules', join(deploy, 'prometheus/alerts.yml')])).toMatch(/SUCCESS: 11 rules/)
  expect(promtool(['test', 'rules', join(deploy, 'prometheus/alerts.test.yml')])).toMatch(/SUCCESS/)
  expect(promtool(['check', 'config', join(deploy, 'prometheus/prometheus.yml')])).toMatch(/SUCCESS/)
  const { url } = await testServer()
  const text = await (await fetch(url.replace('/graphql', '/metrics'))).text()
  const ours = text.split('\n').filter((line) => /^(# (HELP|TYPE) )?epochcast_/.test(line))
  expect(promtool(['check', 'metrics'], `${ours.join('\n')}\n`)).toBe('')
})

describe('a real Prometheus', () => {
  it('reads what a server tells, and answers every question of the dashboard and the alerts', async () => {
    const { url, webSocketUrl, metricsUrl } = await testServer({ EPOCHCAST_METRICS_PORT: '0' })
    if (!metricsUrl) throw new Error('there is no port')
    const query = await scraping(metricsUrl)
    const taskId = await startExternal(url)
    const viewer = await ProtocolClient.open(webSocketUrl)
    viewer.subscribe('1', WATCH, { taskId })
    await until(
      'the first scrape',
      async () => (await query('epochcast_open_subscriptions{field="trainingProgress"} == 1')).length === 1,
      30_000,
    )
    await refusal(url, TASK, { id: '' })
    let step = 0
    const value = async (expr: string) => (await query(expr))[0]?.value
    await until(
      'events to be seen',
      async () => {
        step++
        await report(url, taskId, ...progressReports(step, step))
        return ((await value('rate(epochcast_events_delivered_total[30s])')) ?? 0) > 0
      },
      30_000,
    )
    expect(await query('epochcast_refusals_total{code="BAD_INPUT"}')).toMatchObject([
      { value: 1, metric: { job: 'epochcast' } },
    ])
    for (const { expr } of [...dashboardQueries(), ...alertQueries()]) await query(expr)
    const lag = dashboardQueries().find(
      ({ of, expr }) => of.startsWith('Delivery lag, from') && expr.includes('0.99'),
    )
    expect(await value(lag?.expr ?? '')).toBeGreaterThan(0)
    expect(await query('ALERTS{severity="critical"}')).toEqual([])
  })
})
