// `npm run test:packages`: the package as others get it. Packed, installed into empty projects of each kind, and used there: run,
// compiled, bundled. Takes the network at the first time; what projects depend on stays in ~/.cache/epochcast (XDG_CACHE_HOME).
//
//   node test/packages/main.js [project …]
import { execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const ROOT = join(import.meta.dirname, '../..')
const PROJECTS = join(import.meta.dirname, 'projects')
const CACHE = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'epochcast/packages')
const run = promisify(execFile)

const PUBLINT = 'publint@0.3.25'
const ATTW = '@arethetypeswrong/cli@0.18.5'

/** What is no module. */
const TEXTS = ['schema.graphql', 'operations/*']

/** What is done in each project, once the package is there. */
const STEPS = {
  esm: ({ url }) => [['node', 'main.js', url]],
  commonjs: ({ url }) => [['node', 'main.js', url]],
  typescript: () => [
    ['npx', 'tsc', '-p', 'tsconfig.bundler.json'],
    ['npx', 'tsc', '-p', 'tsconfig.node16.json'],
    ['npx', 'tsc', '-p', 'tsconfig.own.json'],
  ],
  vite: () => [['npx', 'vite', 'build']],
  next: ({ url, port }) => [
    ['npx', 'next', 'build'],
    ['node', join(import.meta.dirname, 'next-page.js'), String(port), url],
  ],
  codegen: () => [
    ['npx', 'graphql-codegen', '--config', 'codegen.js'],
    ['npx', 'tsc', '-p', 'tsconfig.json'],
    ['node', join(import.meta.dirname, 'manifest.js'), ROOT],
  ],
  // Not a project: what the tarball itself is like. Our package is of ES modules only, and said to be.
  lint: ({ tarball }) => [
    ['npx', '--yes', PUBLINT, '--strict', tarball],
    ['npx', '--yes', ATTW, '--profile', 'esm-only', '--exclude-entrypoints', ...TEXTS, '--', tarball],
  ],
}

const names = process.argv.slice(2)
const tarball = await pack()
const { url, stop } = await serve()
const failed = []
try {
  for (const name of names.length > 0 ? names : Object.keys(STEPS)) {
    const began = performance.now()
    try {
      const folder = name === 'lint' ? ROOT : await project(name)
      for (const [command, ...args] of STEPS[name]({ url, tarball, port: await freePort() })) {
        await run(command, args, {
          cwd: folder,
          env: { ...process.env, EPOCHCAST_URL: url, NEXT_TELEMETRY_DISABLED: '1', CI: '1' },
          maxBuffer: 64 * 1024 * 1024,
        })
      }
      console.log(`✓ ${name}: ${Math.round((performance.now() - began) / 1000)} s`)
    } catch (error) {
      failed.push(name)
      console.error(`✗ ${name}: ${error.message}\n${error.stdout ?? ''}${error.stderr ?? ''}`)
    }
  }
} finally {
  stop()
}
if (failed.length > 0) process.exitCode = 1

async function pack() {
  mkdirSync(CACHE, { recursive: true })
  const { stdout } = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', CACHE], {
    cwd: ROOT,
  })
  return join(CACHE, JSON.parse(stdout)[0].filename)
}

/** A copy of a project with what it depends on, which is kept, and the package as it is now. */
async function project(name) {
  const manifest = readFileSync(join(PROJECTS, name, 'package.json'))
  const ours = readFileSync(join(ROOT, 'package-lock.json'))
  const hash = createHash('sha256').update(manifest).update(ours).digest('hex').slice(0, 12)
  const folder = join(CACHE, `${name}-${hash}`)
  const npm = (...args) =>
    run('npm', [...args, '--no-audit', '--no-fund', '--ignore-scripts'], { cwd: folder })
  mkdirSync(folder, { recursive: true })
  for (const file of readdirSync(folder)) {
    if (!['node_modules', 'package-lock.json', 'installed'].includes(file))
      rmSync(join(folder, file), { recursive: true })
  }
  cpSync(join(PROJECTS, name), folder, { recursive: true })
  if (name === 'vite') cpSync(join(ROOT, 'examples/training-page.jsx'), join(folder, 'main.jsx'))
  // Its dependencies come with it at the first time; afterwards only the package itself is another.
  if (!existsSync(join(folder, 'installed'))) {
    await npm('install', '--no-save', tarball)
    writeFileSync(join(folder, 'installed'), '')
  } else {
    const target = join(folder, 'node_modules/epochcast')
    const dependencies = join(target, 'node_modules')
    for (const file of readdirSync(target)) {
      if (join(target, file) !== dependencies) rmSync(join(target, file), { recursive: true })
    }
    await run('tar', ['-xzf', tarball, '--strip-components=1', '-C', target])
  }
  return folder
}

/** A server of this checkout, as built. */
async function serve() {
  const port = await freePort()
  const child = spawn(process.execPath, [join(ROOT, 'bin/epochcast.js'), 'serve', '--memory'], {
    env: { ...process.env, PORT: String(port) },
    stdio: 'ignore',
  })
  const url = `http://127.0.0.1:${port}/graphql`
  const deadline = performance.now() + 30_000
  for (;;) {
    const isUp = await fetch(`http://127.0.0.1:${port}/health`).then(
      (response) => response.ok,
      () => false,
    )
    if (isUp) return { url, stop: () => child.kill('SIGKILL') }
    if (performance.now() > deadline) throw new Error('the server did not come up within 30 s')
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}
