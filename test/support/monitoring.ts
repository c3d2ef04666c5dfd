import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'

const deploy = join(import.meta.dirname, '../../deploy')

interface Panel {
  readonly title: string
  readonly targets?: readonly { readonly expr: string }[]
}

interface Query {
  /** Where it stands. */
  readonly of: string
  readonly expr: string
}

/** Every question that the dashboard asks, with its variables as Grafana might fill them. */
export function dashboardQueries(): Query[] {
  const { panels } = JSON.parse(readFileSync(join(deploy, 'grafana/epochcast.json'), 'utf8'))
  return (panels as Panel[]).flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => ({
      of: title,
      expr: expr
        .replaceAll('$__rate_interval', '1m')
        .replaceAll('$job', 'epochcast')
        .replaceAll('$instance', '.*'),
    })),
  )
}

export function alertQueries(): Query[] {
  const { groups } = parse(readFileSync(join(deploy, 'prometheus/alerts.yml'), 'utf8'))
  return (groups as { rules: { alert: string; expr: string }[] }[]).flatMap(({ rules }) =>
    rules.map(({ alert, expr }) => ({ of: alert, expr })),
  )
}
