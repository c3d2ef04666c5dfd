import { useEffect, useRef, useState } from 'react'
import { useClient } from 'urql'
import { TaskSparklinesDocument, type TaskSummaryFragment } from '../../typescript/index.ts'
import type { MetricValue } from '../ui/format.ts'

const MAX_POINTS = 48
const ASK_AFTER_MS = 120
/** Tasks whose points are kept: many screens of them. */
const MAX_TASKS = 500

/**
 * The loss of the tasks in view, as a few points: asked for once for those that come into view, all in one query, and grown by what
 * their summaries tell after that.
 */
export function useSparklines(
  visible: readonly TaskSummaryFragment[],
): ReadonlyMap<string, readonly MetricValue[]> {
  const client = useClient()
  const kept = useRef(new Map<string, MetricValue[]>())
  const [, setVersion] = useState(0)

  // biome-ignore lint/correctness/useExhaustiveDependencies: whoever comes with another client may see other tasks
  useEffect(() => {
    kept.current = new Map()
  }, [client])

  for (const { channel, loss } of visible) {
    const points = kept.current.get(channel)
    if (points && loss != null && points.at(-1) !== loss) {
      points.push(loss)
      if (points.length >= 2 * MAX_POINTS) kept.current.set(channel, halve(points))
    }
  }

  const missing = visible.filter(({ channel, loss }) => loss != null && !kept.current.has(channel))
  const ids = [...new Set(missing.map(({ id }) => id))].sort().join()
  useEffect(() => {
    if (ids === '') return
    const wanted = ids.split(',')
    const timer = setTimeout(async () => {
      const variables = { ids: wanted, metrics: ['loss'], first: wanted.length, maxPoints: MAX_POINTS }
      const { data } = await client.query(TaskSparklinesDocument, variables).toPromise()
      for (const { node } of data?.tasks.edges.flatMap((edge) => edge ?? []) ?? []) {
        const own = node.series.filter(({ member }) => member == null)
        const series = own.find(({ phase }) => phase == null) ?? own.find(({ phase }) => phase === 'TRAIN')
        kept.current.set(node.channel, series?.points.map(({ value }) => value) ?? [])
      }
      for (const channel of kept.current.keys()) {
        if (kept.current.size <= MAX_TASKS) break
        kept.current.delete(channel)
      }
      setVersion((version) => version + 1)
    }, ASK_AFTER_MS)
    return () => clearTimeout(timer)
  }, [client, ids])
  return kept.current
}

/** Every second one, and the newest. */
const halve = (points: readonly MetricValue[]): MetricValue[] =>
  points.filter((_, index) => (points.length - 1 - index) % 2 === 0)
