import { useCallback, useMemo, useRef, useState } from 'react'
import { Link, useLocation, useSearchParams } from 'wouter'
import type { TasksSnapshot } from '../../react/index.ts'
import { useTasks } from '../../react/index.ts'
import type { TaskFilter, TaskStatus, TaskSummaryFragment } from '../../typescript/index.ts'
import { Icon } from '../ui/icons.tsx'
import { Empty, Problem, useDebounced, useTitle } from '../ui/parts.tsx'
import { SearchField } from '../ui/search-field.tsx'
import { Segmented, Select } from '../ui/select.tsx'
import { comparePath } from './address.ts'
import { COLUMNS, type Column, NEWEST, sortTasks } from './sort-tasks.ts'
import { TaskTable } from './task-table.tsx'

const PAGE = 1000
const SEARCH_AFTER_MS = 150

const FILTERS = {
  all: { label: 'All', statuses: null },
  active: { label: 'Active', statuses: ['QUEUED', 'RUNNING', 'STALLED'] },
  done: { label: 'Succeeded', statuses: ['SUCCESS'] },
  failed: { label: 'Failed', statuses: ['FAILURE'] },
  cancelled: { label: 'Cancelled', statuses: ['CANCELLED'] },
} satisfies Record<string, { label: string; statuses: TaskStatus[] | null }>
type FilterName = keyof typeof FILTERS

/** All runs, live. What is searched for is found by the server, among all there are. */
export function TasksPage() {
  useTitle('Runs · Epochcast')
  const [, navigate] = useLocation()
  const [search, setSearch] = useSearchParams()
  const named = search.get('show') as FilterName
  const filterName: FilterName = named in FILTERS ? named : 'all'
  const [text, setText] = useState(search.get('q') ?? '')
  const settled = useDebounced(text.trim(), SEARCH_AFTER_MS)
  const [order, setOrder] = useState(NEWEST)
  const [first, setFirst] = useState(PAGE)
  const [chosen, setChosen] = useState<ReadonlyMap<string, TaskSummaryFragment>>(new Map())
  const filter = filterOf(filterName, settled)
  const snapshot = useTasks({ filter, first })
  const { tasks, error } = useLastWhole(snapshot)
  const sorted = useMemo(() => sortTasks(tasks, order), [tasks, order])
  const running = tasks.filter(({ status }) => status === 'RUNNING').length

  const choose = useCallback((task: TaskSummaryFragment, isChosen: boolean) => {
    setChosen((before) => {
      const after = new Map(before)
      if (isChosen) after.set(task.channel, task)
      else after.delete(task.channel)
      return after
    })
  }, [])

  return (
    <>
      <div className="page-head">
        <h1>Runs</h1>
        <p className="muted" role="status">
          {tasks.length > 0 && `${tasks.length}${tasks.length >= first ? '+' : ''} shown, ${running} running`}
        </p>
        <span className="spacer" />
        {chosen.size > 0 && (
          <button
            type="button"
            className="button"
            onClick={() => navigate(comparePath([...chosen.values()]))}
          >
            Compare {chosen.size}
          </button>
        )}
        <Link href="/start" className="button button-primary">
          <Icon name="play" />
          Start<span className="only-wide"> a run</span>
        </Link>
      </div>
      <div className="toolbar">
        <SearchField
          label="Search runs"
          placeholder="Name, id, trainer, machine, label"
          maxLength={256}
          value={text}
          onChange={setText}
        />
        <Segmented
          label="Show"
          value={filterName}
          options={Object.entries(FILTERS).map(([name, { label }]) => [name as FilterName, label])}
          onChange={(name) => setSearch(name === 'all' ? {} : { show: name }, { replace: true })}
        />
        <span className="only-narrow">
          <Select
            label="Sort by"
            isLabelHidden
            value={order.by}
            options={Object.entries(COLUMNS).map(([name, label]) => [name as Column, `Sort: ${label}`])}
            onChange={(by) => setOrder({ by, isDescending: by === 'age' })}
          />
        </span>
      </div>
      <Problem error={error} title="The runs cannot be shown." />
      {tasks.length > 0 ? (
        <TaskTable
          tasks={sorted}
          order={order}
          onOrder={setOrder}
          chosen={new Set(chosen.keys())}
          onChoose={choose}
        />
      ) : snapshot.isLoading ? (
        !error && <Loading />
      ) : filter ? (
        <Empty title="No run matches">
          <button
            type="button"
            className="button"
            onClick={() => {
              setText('')
              setSearch({}, { replace: true })
            }}
          >
            Show all
          </button>
        </Empty>
      ) : (
        <Empty title="No runs yet">
          <p className="muted">Runs appear here by themselves, from whichever door they come.</p>
          <Link href="/start" className="button button-primary">
            Start the first
          </Link>
        </Empty>
      )}
      {tasks.length >= first && (
        <button type="button" className="button more" onClick={() => setFirst(first + PAGE)}>
          Show {PAGE} more
        </button>
      )}
    </>
  )
}

/** Null where it would take in everything: such a list costs the server least. */
function filterOf(name: FilterName, text: string): TaskFilter | null {
  const { statuses } = FILTERS[name]
  if (statuses === null && text === '') return null
  return { ...(statuses && { statuses }), ...(text !== '' && { text }) }
}

/** While another list is on its way, the one before it stays. */
function useLastWhole(snapshot: TasksSnapshot): TasksSnapshot {
  const last = useRef(snapshot)
  if (!snapshot.isLoading || snapshot.tasks.length > 0 || snapshot.error) last.current = snapshot
  return last.current
}

const Loading = () => (
  <div className="card skeletons" aria-busy="true">
    <span className="visually-hidden">Loading the runs</span>
    {[0, 1, 2, 3, 4].map((row) => (
      <div key={row} className="skeleton-row">
        <span className="skeleton" />
        <span className="skeleton" />
        <span className="skeleton" />
      </div>
    ))}
  </div>
)
