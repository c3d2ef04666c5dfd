import { expect, it } from 'vitest'
import { isOfMachine, machineGroups } from '../../clients/dashboard/machine/machine-groups.ts'
import type { Curve } from '../../clients/typescript/index.ts'

const curve = (name: string, member: string, value = 1): Curve => ({
  ...{ name, member, phase: null, axis: 'TIME' as const },
  points: [{ step: 0, epoch: null, value, timestamp: '2026-11-29T10:00:00.000Z', attempt: 1 }],
})

const written = (name: string, value: number) => {
  const [group] = machineGroups([curve(name, 'n', value)], 0)
  return [group?.title, group?.unit.format(value)]
}

it('metrics of a machine are charts of one kind each, with the unit that their names say', () => {
  expect(written('system/cpu_percent', 187.123)).toEqual(['CPU', '187 %'])
  expect(written('system/memory_bytes', 1.5 * 2 ** 30)).toEqual(['Memory', '1.5 GiB'])
  expect(written('system/memory_bytes', 0)).toEqual(['Memory', '0 B'])
  expect(written('system/disk_read_bytes_per_second', 2048)).toEqual(['Disk', '2 KiB/s'])
  expect(written('system/network_sent_bytes_per_second', 0.25)).toEqual(['Network', '0.25 B/s'])
  expect(written('system/gpu3_percent', 99.6)).toEqual(['GPU', '99.6 %'])
  expect(written('system/gpu3_memory_bytes', 2 ** 34)).toEqual(['GPU memory', '16 GiB'])
  expect(written('system/gpu3_temperature_celsius', 61)).toEqual(['GPU temperature', '61 °C'])
  expect(written('system/gpu3_power_watts', 250)).toEqual(['GPU power', '250 W'])
  // Of somebody's own.
  expect(written('system/fan_rpm', 1200)).toEqual(['fan_rpm', '1,200'])
})

it('lines have the names of their nodes where there are several, and of their cards', () => {
  const metrics = ['system/fan_rpm', 'system/gpu1_percent', 'system/gpu0_percent', 'system/cpu_percent']
  const of = (nodes: readonly string[]) =>
    machineGroups(
      nodes.flatMap((node) => metrics.map((name) => curve(name, node))),
      0,
    ).map(({ title, lines }) => [title, lines.map(({ label }) => label)])
  expect(of(['a'])).toEqual([
    ['CPU', ['CPU']],
    ['GPU', ['GPU 0', 'GPU 1']],
    ['fan_rpm', ['fan_rpm']],
  ])
  expect(of(['b', 'a'])[1]).toEqual(['GPU', ['a · GPU 0', 'a · GPU 1', 'b · GPU 0', 'b · GPU 1']])
})

it('nothing of what is trained is taken for the machine', () => {
  const names = ['loss', 'system', 'system/cpu_percent', 'val/system/loss', 'systematic/error']
  expect(names.filter((name) => isOfMachine({ name }))).toEqual(['system/cpu_percent'])
})
