import { useWindowVirtualizer } from '@tanstack/react-virtual'
import { useLayoutEffect, useRef, useState } from 'react'
import type { TaskSummaryFragment } from '../../typescript/index.ts'
import { useNow } from '../ui/parts.tsx'
import { COLUMNS, type Column, type Order } from './sort-tasks.ts'
import { useSparklines } from './sparklines.ts'
import { TaskRow } from './task-row.tsx'

interface TaskTableProps {
  readonly tasks: readonly TaskSummaryFragment[]
  readonly order: Order
  readonly onOrder: (order: Order) => void
  readonly chosen: ReadonlySet<string>
  readonly onChoose: (task: TaskSummaryFragment, isChosen: boolean) => void
}

const AGE_MS = 5000
/** As the style sheet has them, on wide pages and on phones. */
const ROW = { wide: 60, narrow: 108 } as const
const NARROW = matchMedia('(max-width: 760px)')

/** Only the rows in view are there, however many tasks. */
export function TaskTable({ tasks, order, onOrder, chosen, onChoose }: TaskTableProps) {
  const list = useRef<HTMLDivElement>(null)
  const [top, setTop] = useState(0)
  const isNarrow = useIsNarrow()
  const now = useNow(AGE_MS)
  useLayoutEffect(() => setTop(list.current?.offsetTop ?? 0), [])
  const height = isNarrow ? ROW.narrow : ROW.wide
  const virtual = useWindowVirtualizer({
    count: tasks.length,
    estimateSize: () => height,
    overscan: 6,
    scrollMargin: top,
    getItemKey: (index) => tasks[index]?.channel ?? index,
  })
  // biome-ignore lint/correctness/useExhaustiveDependencies: whenever rows have another height
  useLayoutEffect(() => virtual.measure(), [virtual, height])
  const rows = virtual.getVirtualItems().flatMap((item) => {
    const task = tasks[item.index]
    return task ? [{ item, task }] : []
  })
  const sparklines = useSparklines(rows.map(({ task }) => task))
  return (
    <div className="task-table card" role="table" aria-label="Runs" aria-rowcount={tasks.length + 1}>
      <div role="rowgroup" className="task-head">
        <div role="row" aria-rowindex={1} className="task-row">
          <span role="columnheader" className="task-choose">
            <span className="visually-hidden">Compare</span>
          </span>
          {(Object.keys(COLUMNS) as Column[]).map((column) => (
            <Head key={column} column={column} order={order} onOrder={onOrder} />
          ))}
        </div>
      </div>
      <div role="rowgroup" className="task-rows" ref={list} style={{ height: virtual.getTotalSize() }}>
        {rows.map(({ item, task }) => (
          <TaskRow
            key={item.key}
            task={task}
            values={sparklines.get(task.channel) ?? []}
            now={now}
            rowIndex={item.index + 2}
            top={item.start - top}
            isChosen={chosen.has(task.channel)}
            onChoose={onChoose}
          />
        ))}
      </div>
    </div>
  )
}

interface HeadProps {
  readonly column: Column
  readonly order: Order
  readonly onOrder: (order: Order) => void
}

function Head({ column, order, onOrder }: HeadProps) {
  const isBy = order.by === column
  const sort = isBy ? (order.isDescending ? 'descending' : 'ascending') : 'none'
  return (
    <span role="columnheader" className={`task-${column}`} aria-sort={sort}>
      <button
        type="button"
        onClick={() => onOrder({ by: column, isDescending: isBy ? !order.isDescending : column === 'age' })}
      >
        {COLUMNS[column]}
        <span aria-hidden="true">{isBy ? (order.isDescending ? ' ↓' : ' ↑') : ''}</span>
      </button>
    </span>
  )
}

function useIsNarrow(): boolean {
  const [isNarrow, setNarrow] = useState(NARROW.matches)
  useLayoutEffect(() => {
    const listen = () => setNarrow(NARROW.matches)
    NARROW.addEventListener('change', listen)
    return () => NARROW.removeEventListener('change', listen)
  }, [])
  return isNarrow
}
