import { spawn } from 'node:child_process'
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { GraphicsCards } from '../../src/launcher/graphics-cards.ts'
import { parseStat, processTree } from '../../src/launcher/process-tree.ts'
import { networkOf, SystemSampler } from '../../src/launcher/system-sampler.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'

/** A process of a session of its own, as trainers are; killed when the test is over. */
function session(script: string) {
  const child = spawn('/bin/sh', ['-c', script], { detached: true, stdio: ['ignore', 'pipe', 'ignore'] })
  const { pid } = child
  if (pid === undefined) throw new Error('no shell')
  onTestFinished(() => {
    if (child.exitCode === null) process.kill(-pid, 'SIGKILL')
  })
  return { child, pid }
}

it('finds what a process has started, and what was left behind by a parent that is gone', async () => {
  // The inner shell ends at once, so that its sleep is a child of somebody else.
  const { pid } = session('(sleep 60 & sleep 61 & wait) & sh -c "sleep 62 &"; wait')
  const tree = await until('all of them', async () => {
    const found = (await processTree(pid)) ?? []
    // Two shells and three sleeps.
    return found.length === 5 ? found : null
  })
  expect(tree.map((facts) => facts.pid)).toContain(pid)
  expect(await processTree(2 ** 22 + 1)).toEqual([])
  expect(await processTree(pid, '/nowhere')).toBeNull()
})

it('reads the name of a process as what it is, whatever it holds', () => {
  const rest = 'S 7 8 9 0 -1 4194304 1 2 3 4 150 50 0 0 20 0 1 0 987654 1000 200 18446744073709551615'
  expect(parseStat(`42 (a) R 1 (b c)) ${rest}`)).toEqual({
    ...{ pid: 42, parent: 7, session: 9, cpuTicks: 200, startedAt: '987654' },
  })
  expect(parseStat('')).toBeNull()
})

it('tells what a busy process takes, a while after it has begun', async () => {
  const { pid } = session('while :; do :; done')
  const samples: Record<string, number>[] = []
  const sampler = new SystemSampler(pid, {
    everyMs: 200,
    onSample: async (metrics) => samples.push({ ...metrics }),
    onError: (error) => {
      throw error
    },
  })
  onTestFinished(() => sampler.close())
  await until('some samples', () => samples.length >= 2)
  const [first = {}] = samples
  expect(first['system/cpu_percent']).toBeGreaterThan(1)
  expect(first['system/processes']).toBe(1)
  expect(first['system/memory_bytes']).toBeGreaterThan(100_000)
  for (const name of ['disk_read', 'disk_written', 'network_received', 'network_sent'])
    expect(first[`system/${name}_bytes_per_second`], name).toBeGreaterThanOrEqual(0)
  expect(Object.keys(first).some((name) => name.startsWith('system/gpu'))).toBe(false)
})

it('samples nothing of a process that is gone', async () => {
  const { child, pid } = session('exit 0')
  await new Promise((resolve) => child.once('close', resolve))
  const samples: unknown[] = []
  const sampler = new SystemSampler(pid, {
    ...{
      everyMs: 20,
      onSample: async (metrics) => samples.push(metrics),
      onError: (error) => samples.push(error),
    },
  })
  await new Promise((resolve) => setImmediate(resolve))
  await sampler.close()
  expect(samples).toEqual([])
})

it('counts every interface but the loopback', () => {
  const text = `Inter-|   Receive                            |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 999 1 0 0 0 0 0 0 999 1 0 0 0 0 0 0
  eth0: 100 1 0 0 0 0 0 0 20 1 0 0 0 0 0 0
  eth1:300 1 0 0 0 0 0 0 4 1 0 0 0 0 0 0
`
  expect(networkOf(text)).toEqual({ received: 400, sent: 24 })
  expect(networkOf(null)).toBeNull()
})

/** A program that says what nvidia-smi says. */
function cardsOf(script: string): GraphicsCards {
  const folder = temporaryFolder()
  const program = join(folder, 'nvidia-smi')
  writeFileSync(program, `#!/bin/sh\n${script}`)
  chmodSync(program, 0o755)
  return new GraphicsCards(program)
}

it('tells of the graphics cards that a tree uses, and of no others', async () => {
  const cards = cardsOf(`case "$1" in
    --query-compute-apps*) echo "GPU-a, 41"; echo "GPU-b, 42"; echo "GPU-b, 43";;
    *) echo "0, GPU-a, 99, 1000, 70, 250.5"; echo "1, GPU-b, 45, 2048, 61, [N/A]";;
  esac`)
  expect(await cards.sample(new Set([43]))).toEqual({
    'system/gpu1_percent': 45,
    'system/gpu1_memory_bytes': 2048 * 1024 ** 2,
    'system/gpu1_temperature_celsius': 61,
  })
  expect(await cards.sample(new Set([44]))).toEqual({})
})

it('does without cards where there is no program for them, or it fails', async () => {
  const none = new GraphicsCards('/nowhere/nvidia-smi')
  expect([await none.sample(new Set([1])), await none.sample(new Set([1]))]).toEqual([{}, {}])
  expect(await cardsOf('echo broken >&2; exit 9').sample(new Set([1]))).toEqual({})
})

it.each<[what: string, script: string, onSample: () => Promise<unknown>]>([
  ['a driver that hangs', 'trap "" TERM; while :; do sleep 1; done', async () => {}],
  ['a server that takes no sample', '', () => new Promise(() => {})],
])('does not hold up the end of its process for %s', async (_, script, onSample) => {
  const { pid } = session('while :; do :; done')
  const folder = temporaryFolder()
  let samples = 0
  const asked = join(folder, 'asked')
  const sampler = new SystemSampler(pid, {
    everyMs: 20,
    cards: cardsOf(`echo $$ > ${asked}; ${script}`),
    onSample: () => {
      samples++
      return onSample()
    },
    onError: (error) => {
      throw error
    },
  })
  await until('a look', () => existsSync(asked) && (script !== '' || samples > 0))
  const before = performance.now()
  await sampler.close()
  expect(performance.now() - before).toBeLessThan(4000)
  const asking = readFileSync(asked, 'utf8').trim()
  await until('its program to be gone', () => !existsSync(`/proc/${asking}/exe`), 2000)
})
