import { BARE, EPOCHCAST } from '../candidates/candidate.ts'
import { Audience } from '../client/audience.ts'
import { Samples } from '../stats.ts'
import { onlyTask, type Scenario, type Sizes } from './scenario.ts'

const BUFFER_BOUND_KIB = 64
const MEMORY_TARGET_KIB = BUFFER_BOUND_KIB + 32
/** "Slows nobody", within what two measurements of the same thing differ by. */
const CPU_TARGET = 1.1
const LATENCY_TARGET = 1.25
/** Three bytes each: with the rest, 12 KiB an event, so that the system's own buffers (4 MiB) are soon full. */
const MESSAGE_LENGTH = 4000

const sizesOf = ({ subscribers, quick }: Sizes) => {
  const all = subscribers?.[0] ?? (quick ? 60 : 1000)
  const slow = Math.ceil(all / 50)
  return { slow, fast: all - slow, measured: quick ? 50 : 100, filling: quick ? 500 : 1000 }
}

export const slow: Scenario = {
  name: 'slow',
  about:
    'some sockets take their opening message and then never read again, while events of 12 KiB fill the buffers of the system, three times over: what they cost the server in memory, and others, who come before and after, in CPU and latency.',
  engines: ['redis'],
  candidates: [BARE, EPOCHCAST],
  rows: (sizes) => {
    const { slow, fast } = sizesOf(sizes)
    return [
      {
        key: 'memory',
        label: `${slow} that never read: memory each of them costs, heap and buffers`,
        unit: 'KiB',
        targets: [{ atMost: MEMORY_TARGET_KIB }],
      },
      { key: 'rss', label: `${slow} that never read: the same as resident memory`, unit: 'KiB' },
      { key: 'cpu before', label: `${fast} without them: CPU per delivery`, unit: 'µs', digits: 2 },
      {
        key: 'cpu',
        label: `${fast} beside ${slow} that never read: CPU per delivery`,
        unit: 'µs',
        digits: 2,
      },
      {
        key: 'cpu ratio',
        label: `${fast} beside ${slow} that never read: CPU, to that without them`,
        unit: '×',
        digits: 2,
        targets: [{ atMost: CPU_TARGET }],
      },
      { key: 'p99 before', label: `${fast} without them: p99 from report to receipt`, unit: 'ms', digits: 2 },
      { key: 'p99', label: `${fast} beside ${slow} that never read: p99`, unit: 'ms', digits: 2 },
      {
        key: 'p99 ratio',
        label: `${fast} beside ${slow} that never read: p99, to that without them`,
        unit: '×',
        digits: 2,
        targets: [{ atMost: LATENCY_TARGET }],
      },
    ]
  },
  async run({ start, sizes }) {
    const { slow, fast, measured, filling } = sizesOf(sizes)
    const { server, dialect, reporter, createTasks } = await start({
      env: {
        EPOCHCAST_MAX_BUFFERED_BYTES: `${BUFFER_BOUND_KIB * 1024}`,
        // Who does not even answer pings would be gone before there is something to measure.
        EPOCHCAST_KEEP_ALIVE_SECONDS: '3600',
      },
    })
    const task = await onlyTask(createTasks, MESSAGE_LENGTH)
    const target = { port: server.port, dialect }
    // The first one stays all the time, so that the task is never unwatched.
    const audience = new Audience(target)
    const deliver = async (events: number) => {
      const samples = new Samples()
      const cpuBefore = await server.cpu()
      for (let i = 0; i < events; i++) {
        const sentAt = performance.now()
        audience.onDelivered = () => samples.add(performance.now() - sentAt)
        await audience.expect(audience.size, () => reporter.report(task, 1))
        task.forgetUpTo(task.reported - 1)
      }
      audience.onDelivered = null
      const cpuUs = (await server.cpu()) - cpuBefore
      return { cpu: cpuUs / samples.length, p99: samples.percentile(0.99) }
    }
    const deliverToAll = async () => {
      await audience.growTo(fast, [task])
      await audience.settle()
      await deliver(measured / 2)
      const found = await deliver(measured)
      await audience.settle()
      audience.shrinkTo(1)
      await audience.settle()
      return found
    }

    const before = await deliverToAll()
    // What a server keeps of a task's newest events, it keeps whether or not anybody is slow.
    await deliver(filling / 2)
    const memoryBefore = await server.memory()
    const stuck = new Audience(target)
    await stuck.storm(slow, [task], { neverReads: true })
    await deliver(filling)
    await stuck.settle()
    const memory = await server.memory()
    const after = await deliverToAll()
    await stuck.settle()
    stuck.close()
    audience.close()
    const held = memory.heapUsed + memory.external - memoryBefore.heapUsed - memoryBefore.external
    return {
      memory: held / 1024 / slow,
      rss: (memory.rss - memoryBefore.rss) / 1024 / slow,
      'cpu before': before.cpu,
      cpu: after.cpu,
      'cpu ratio': after.cpu / before.cpu,
      'p99 before': before.p99,
      p99: after.p99,
      'p99 ratio': after.p99 / before.p99,
    }
  },
}
