import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '..')

/** Which stations may import which: everything points toward task/. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  task: [],
  bounds: ['task'],
  'event-log': ['bounds', 'task', 'redis-url.ts'],
  launcher: ['bounds', 'redis-url.ts', 'task', 'trainer-env.ts'],
  repository: ['bounds', 'event-log', 'task'],
  auth: ['event-log', 'repository', 'task', 'auth-config.ts', 'config.ts'],
  ingest: ['bounds', 'event-log', 'repository', 'task'],
  bridge: ['bounds', 'dispatch', 'event-log', 'ingest', 'repository', 'task'],
  dispatch: ['bounds', 'event-log', 'launcher', 'repository', 'task', 'config.ts', 'trainer-env.ts'],
  feed: ['bounds', 'event-log', 'repository', 'task'],
  schema: ['auth', 'bounds', 'dispatch', 'event-log', 'feed', 'ingest', 'launcher', 'repository', 'task'],
  delivery: ['feed', 'task'],
  execution: ['bounds', 'delivery', 'feed', 'ingest', 'repository', 'schema', 'task', 'config.ts'],
  transport: [
    'auth',
    'bounds',
    'delivery',
    'execution',
    'feed',
    'repository',
    'schema',
    'task',
    'client-limits.ts',
    'loopback.ts',
  ],
  metrics: [
    'bridge',
    'delivery',
    'dispatch',
    'event-log',
    'feed',
    'launcher',
    'operation-config.ts',
    'repository',
    'transport',
  ],
  'config.ts': [
    'auth-config.ts',
    'client-limits.ts',
    'engine-config.ts',
    'loopback.ts',
    'operation-config.ts',
    'queue-config.ts',
    'setting.ts',
    'trainer-env.ts',
  ],
  'queue-config.ts': ['redis-url.ts', 'setting.ts'],
  'open-launchers.ts': ['config.ts', 'dispatch', 'event-log', 'launcher', 'redis-url.ts'],
  'open-bridge.ts': ['bridge', 'config.ts', 'event-log'],
  'auth-config.ts': ['loopback.ts', 'setting.ts'],
  'client-limits.ts': ['setting.ts'],
  'operation-config.ts': ['output-config.ts', 'setting.ts'],
  'output-config.ts': ['setting.ts'],
  'engine-config.ts': [],
  'setting.ts': [],
  'loopback.ts': [],
  'redis-url.ts': [],
  'trainer-env.ts': [],
  'version.ts': [],
  'event-loop-watch.ts': [],
  'gauges.ts': ['transport'],
  'audit-log.ts': ['repository', 'task'],
  'server.ts': [
    'auth',
    'bounds',
    'config.ts',
    'dispatch',
    'event-log',
    'event-loop-watch.ts',
    'execution',
    'feed',
    'gauges.ts',
    'loopback.ts',
    'metrics',
    'open-services.ts',
    'open-store.ts',
    'repository',
    'schema',
    'stop-server.ts',
    'task',
    'tls.ts',
    'trace.ts',
    'transport',
    'version.ts',
  ],
  'open-services.ts': [
    'audit-log.ts',
    'auth',
    'bridge',
    'config.ts',
    'dispatch',
    'event-log',
    'feed',
    'ingest',
    'launcher',
    'open-bridge.ts',
    'open-launchers.ts',
    'repository',
    'schema',
    'version.ts',
  ],
  tracing: [],
  'trace.ts': ['config.ts', 'tracing', 'version.ts'],
  'tls.ts': ['config.ts', 'transport'],
  'stop-server.ts': ['dispatch', 'operation-config.ts', 'transport'],
  'open-store.ts': ['config.ts', 'event-log'],
  'workers.ts': ['config.ts', 'metrics'],
  'log-lines.ts': [],
  'serve.ts': ['config.ts', 'log-lines.ts', 'server.ts', 'worker.ts', 'workers.ts'],
  'worker.ts': ['config.ts', 'dispatch', 'event-log', 'launcher'],
  'data.ts': ['config.ts', 'event-log'],
  'token.ts': ['auth', 'config.ts'],
  'main.ts': ['config.ts', 'data.ts', 'serve.ts', 'token.ts', 'version.ts'],
}

/** Libraries that live behind one folder. */
const LIVES_IN: Record<string, readonly string[]> = {
  '@pothos': ['schema'],
  'graphql-yoga': ['transport'],
  'graphql-ws': ['transport'],
  ws: ['transport'],
  ajv: ['dispatch'],
  jose: ['auth'],
  'prom-client': ['metrics'],
  '@opentelemetry': ['tracing'],
  bullmq: ['launcher'],
  ioredis: ['bridge', 'event-log', 'launcher', 'open-launchers.ts'],
  lmdb: ['event-log'],
  'graphql-redis-subscriptions': ['event-log'],
}

/** What knows engines, and not only their ports: who chooses one, who opens connections as it does, and who looks at its files. */
const CHOOSERS = [
  'src/open-store.ts',
  'src/open-bridge.ts',
  'src/open-launchers.ts',
  'src/worker.ts',
  'src/data.ts',
]

const files = (...folders: string[]): string[] =>
  folders
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true }).map((name) => join(folder, String(name))),
    )
    .filter((file) => file.endsWith('.ts') && !file.includes('/generated/'))
    .sort()

const importsOf = (file: string): string[] =>
  [
    ...readFileSync(join(root, file), 'utf8').matchAll(
      /^(?:import|export)\b[^'"]*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/gm,
    ),
  ].map(([, fixed, dynamic]) => (fixed ?? dynamic) as string)

const localImportsOf = (file: string): string[] =>
  importsOf(file)
    .filter((specifier) => specifier.startsWith('.') && specifier.endsWith('.ts'))
    .map((specifier) => normalize(join(dirname(file), specifier)))

const stationOf = (file: string): string => relative('src', file).split('/')[0] as string

const sources = files('src')

describe('imports', () => {
  it('run one way, toward task/', () => {
    const wrong = sources.flatMap((file) =>
      localImportsOf(file)
        .filter((imported) => imported.startsWith('src/'))
        .filter((imported) => {
          const [from, to] = [stationOf(file), stationOf(imported)]
          return from !== to && !MAY_IMPORT[from]?.includes(to)
        })
        .map((imported) => `${file} → ${imported}`),
    )
    expect(wrong).toEqual([])
    // The table is of what there is: a new folder is put into it on purpose.
    expect([...new Set(sources.map(stationOf))].sort()).toEqual(Object.keys(MAY_IMPORT).sort())
  })

  it('have no cycle', () => {
    const done = new Set<string>()
    const visit = (file: string, path: readonly string[]): string[] => {
      if (path.includes(file)) return [[...path.slice(path.indexOf(file)), file].join(' → ')]
      if (done.has(file)) return []
      const found = localImportsOf(file).flatMap((imported) => visit(imported, [...path, file]))
      done.add(file)
      return found
    }
    expect(files('src', 'clients', 'trainers').flatMap((file) => visit(file, []))).toEqual([])
  })

  it('of an engine are in open-store.ts, which picks one, where connections are opened, and in data.ts; the others know its ports', () => {
    const isOfEngine = (file: string) => /^src\/event-log\/(memory|lmdb|redis)\b/.test(file)
    const wrong = sources
      .filter((file) => !isOfEngine(file) && !CHOOSERS.includes(file))
      .flatMap((file) =>
        localImportsOf(file)
          .filter(isOfEngine)
          .map((imported) => `${file} → ${imported}`),
      )
    expect(wrong).toEqual([])
  })

  it('keep a library behind one folder', () => {
    const wrong = sources.flatMap((file) =>
      importsOf(file)
        .filter((specifier) => {
          const library = Object.keys(LIVES_IN).find(
            (name) => specifier === name || specifier.startsWith(`${name}/`),
          )
          return library !== undefined && !LIVES_IN[library]?.includes(stationOf(file))
        })
        .map((specifier) => `${file} → ${specifier}`),
    )
    expect(wrong).toEqual([])
  })

  it('of a server leave out BullMQ until a trainer asks for it', () => {
    const loaded = new Set<string>()
    const load = (file: string) => {
      if (loaded.has(file)) return
      loaded.add(file)
      const text = readFileSync(join(root, file), 'utf8')
      const fixed = text.matchAll(/^(?:import\b(?! type\b)|export \{)[^'"(=]*['"]([^'"]+)['"]/gm)
      for (const [, specifier = ''] of fixed) {
        if (specifier.endsWith('.ts')) load(normalize(join(dirname(file), specifier)))
        else loaded.add(specifier)
      }
    }
    load('src/serve.ts')
    expect(loaded).toContain('ioredis')
    expect(loaded).not.toContain('bullmq')
  })

  it('of clients and trainers never reach into the server', () => {
    const mayImport = (file: string, imported: string) =>
      imported.startsWith(file.split('/')[0] as string) ||
      imported === 'package.json' ||
      (file.startsWith('trainers/') && imported.startsWith('clients/typescript/'))
    const wrong = files('clients', 'trainers').flatMap((file) =>
      localImportsOf(file)
        .filter((imported) => !mayImport(file, imported))
        .map((imported) => `${file} → ${imported}`),
    )
    expect(wrong).toEqual([])
  })
})

it('only config.ts reads the environment of the server', () => {
  const readers = sources.filter((file) => /process\.env\b/.test(readFileSync(join(root, file), 'utf8')))
  expect(readers).toEqual(['src/config.ts'])
})

const MAX_LINES = 300

it('files stay small enough to hold in the head', () => {
  const large = files('src', 'clients', 'trainers')
    .map((file) => [file, readFileSync(join(root, file), 'utf8').trimEnd().split('\n').length] as const)
    .filter(([, lines]) => lines > MAX_LINES)
  expect(large).toEqual([])
})
