import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { readConfig } from '../../src/config.ts'

const root = join(import.meta.dirname, '../..')
const require = createRequire(import.meta.url)

interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  // biome-ignore lint/suspicious/noExplicitAny: what Kubernetes has in there is for its schema to say
  readonly [field: string]: any
}

const manifests: readonly Manifest[] = parseAllDocuments(
  readFileSync(join(root, 'deploy/kubernetes/epochcast.yaml'), 'utf8'),
  { strict: true, uniqueKeys: true },
).map((document) => {
  if (document.errors.length > 0) throw document.errors[0]
  return document.toJS()
})

/** Where the schema of Kubernetes has it. */
const moduleOf = ({ apiVersion, kind }: Manifest) => `kubernetes-models/${apiVersion}/${kind}`

const of = (kind: string): Manifest => {
  const found = manifests.find((manifest) => manifest.kind === kind)
  if (!found) throw new Error(`there is no ${kind}`)
  return found
}

it.each(manifests.map((manifest) => [manifest.kind, manifest] as const))(
  'the %s is what its schema says',
  (kind, manifest) => {
    const Model = require(moduleOf(manifest))[kind]
    expect(() => new Model(manifest).validate()).not.toThrow()
  },
)

it('no field is misspelled: the compiler knows all that there are', () => {
  const check = (documents: readonly Manifest[]): string => {
    const file = join(root, `test/deploy/.manifests-${process.pid}.ts`)
    onTestFinished(() => rmSync(file, { force: true }))
    const lines = documents.flatMap((manifest, i) => [
      `import type { I${manifest.kind} as Kind${i} } from '${moduleOf(manifest)}'`,
      `export const manifest${i}: Kind${i} = ${JSON.stringify(manifest, null, 2)}`,
    ])
    writeFileSync(file, lines.join('\n'))
    const options = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--types', '']
    try {
      execFileSync(join(root, 'node_modules/.bin/tsc'), ['--ignoreConfig', ...options, file], {
        encoding: 'utf8',
      })
      return ''
    } catch (error) {
      return (error as { stdout: string }).stdout
    }
  }
  expect(check(manifests)).toBe('')
  const deployment = structuredClone(of('Deployment'))
  deployment.spec.template.spec.terminationGracePeriodSecond = 70
  expect(check([deployment])).toMatch(/terminationGracePeriodSecond/)
})

const { spec } = of('Deployment').spec.template
const [container] = spec.containers

it('the settings are ones that the server knows, and it takes them', () => {
  const settings: Record<string, string> = {
    ...of('ConfigMap').data,
    ...Object.fromEntries(
      container.env.map(({ name, value }: { name: string; value: string }) => [name, value]),
    ),
  }
  const source = ['src/config.ts', 'src/client-limits.ts', 'src/operation-config.ts']
    .map((file) => readFileSync(join(root, file), 'utf8'))
    .join('\n')
  for (const name of Object.keys(settings)) expect(source).toMatch(new RegExp(`\\b${name}:`))
  const config = readConfig({}, { ...settings, REDIS_URL: 'redis://redis', EPOCHCAST_ALLOW_ANONYMOUS: '1' })
  const { stopDelayMs, drainMs, metricsPort } = config.operation
  // 15 s of its own, and one to end itself.
  const bound = (stopDelayMs + config.killGraceMs + drainMs) / 1000 + 16
  expect(spec.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(bound)
  // A pod leaves the load balancers before its port is closed.
  expect(stopDelayMs / 1000).toBeGreaterThanOrEqual(
    container.readinessProbe.periodSeconds + container.readinessProbe.timeoutSeconds,
  )
  expect(container.readinessProbe.timeoutSeconds * 1000).toBeGreaterThan(config.redisTimeoutMs)
  const ports = Object.fromEntries(
    container.ports.map(({ name, containerPort }: { name: string; containerPort: number }) => [
      name,
      containerPort,
    ]),
  )
  expect(ports).toEqual({ http: config.port, metrics: metricsPort })
  for (const probe of [container.livenessProbe, container.readinessProbe])
    expect(ports).toHaveProperty(probe.httpGet.port)
})

it('runs as nobody in particular, and writes nowhere but to /tmp', () => {
  expect(spec.securityContext).toMatchObject({
    runAsNonRoot: true,
    seccompProfile: { type: 'RuntimeDefault' },
  })
  expect(container.securityContext).toEqual({
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  })
  expect(container.volumeMounts).toEqual([{ name: 'tmp', mountPath: '/tmp' }])
  expect(spec.automountServiceAccountToken).toBe(false)
})

it('every selector selects the pods of the Deployment', () => {
  const { labels } = of('Deployment').spec.template.metadata
  const selectors = [
    of('Deployment').spec.selector.matchLabels,
    of('Service').spec.selector,
    of('PodDisruptionBudget').spec.selector.matchLabels,
    of('NetworkPolicy').spec.podSelector.matchLabels,
  ]
  for (const selector of selectors) expect(labels).toMatchObject(selector)
  expect(of('Deployment').spec.replicas).toBeGreaterThan(of('PodDisruptionBudget').spec.maxUnavailable)
})
