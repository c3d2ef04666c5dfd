import type { Curve, TaskView } from '../../typescript/index.ts'
import { groupCurves, type Line } from '../charts/metric-groups.ts'
import { runColorName } from '../charts/palette.ts'
import { nameOf } from '../ui/format.ts'

export interface ComparedRun {
  readonly task: TaskView | null
  readonly curves: readonly Curve[]
  readonly error: Error | null
}

export interface ComparedGroup {
  readonly name: string
  readonly lines: readonly Line[]
  readonly colors: readonly string[]
  readonly isDashed: readonly boolean[]
}

/** Metrics by name, with a colour for each run and dashes for what is not training; members would be too many. */
export function compareGroups(runs: readonly (ComparedRun | null)[]): ComparedGroup[] {
  const beside = runs.flatMap((run) => run?.curves ?? [])
  const groups = new Map<string, { line: Line; color: string; isDashed: boolean }[]>()
  for (const [index, run] of runs.entries()) {
    if (!run?.task) continue
    const { task } = run
    const own = run.curves.filter(({ member }) => member == null)
    const startedAt = Date.parse(task.startedAt ?? task.createdAt)
    for (const { name, lines } of groupCurves(own, startedAt, beside)) {
      const all = groups.get(name) ?? []
      groups.set(name, all)
      for (const line of lines) {
        const more = lines.length > 1 ? ` · ${line.label}` : ''
        all.push({
          line: { ...line, key: `${task.channel} ${line.key}`, label: `${nameOf(task)}${more}` },
          color: runColorName(index),
          isDashed: line.role === 'val' || line.role === 'test',
        })
      }
    }
  }
  return [...groups].map(([name, all]) => ({
    name,
    lines: all.map(({ line }) => line),
    colors: all.map(({ color }) => color),
    isDashed: all.map(({ isDashed }) => isDashed),
  }))
}
