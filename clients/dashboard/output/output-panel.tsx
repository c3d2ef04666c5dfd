import { type RefObject, useRef, useState } from 'react'
import { useClient } from 'urql'
import { type TaskOutput, useTaskOutput } from '../../react/index.ts'
import type { TaskSummaryFragment } from '../../typescript/index.ts'
import { formatCount } from '../ui/format.ts'
import { Icon } from '../ui/icons.tsx'
import { Empty, Problem } from '../ui/parts.tsx'
import { SearchField } from '../ui/search-field.tsx'
import { downloadOutput } from './download-output.ts'
import { OutputRows } from './output-rows.tsx'
import { type Search, useSearch } from './use-search.ts'

const LAST = 1000
const MAX_LINES = 20_000

/** What a run's trainers print, as they print it. */
export function OutputPanel({ task }: { readonly task: TaskSummaryFragment }) {
  const { id, channelPrefix } = task
  const output = useTaskOutput(id, { channelPrefix, last: LAST, maxLines: MAX_LINES })
  const { lines, firstNumber, state, error } = output
  const search = useSearch(lines, firstNumber)
  const [hasTime, setHasTime] = useState(false)
  const [isWrapped, setWrapped] = useState(true)
  const firstInView = useRef(0)
  const [problem, setProblem] = useState<Error | null>(null)
  const client = useClient()
  const field = useRef<HTMLInputElement>(null)
  const save = () => {
    setProblem(null)
    downloadOutput(client, task).catch(setProblem)
  }
  if (state.kind === 'connecting' && lines.length === 0)
    return <div className="card output skeleton" aria-busy="true" />
  return (
    <section
      className="card output"
      aria-label="Output"
      onKeyDown={(event) => {
        // The browser's own search sees only the lines in view.
        if (event.key !== 'f' || !(event.ctrlKey || event.metaKey)) return
        event.preventDefault()
        field.current?.select()
      }}
    >
      <div className="toolbar">
        <OutputSearch search={search} field={field} from={firstInView} />
        <span className="spacer" />
        <Check label="Timestamps" isOn={hasTime} onChange={setHasTime} />
        <Check label="Wrap" isOn={isWrapped} onChange={setWrapped} />
        <button type="button" className="button" onClick={save} disabled={lines.length === 0}>
          <Icon name="download" />
          Download
        </button>
      </div>
      <Problem error={error} title="The output cannot be shown." />
      <Problem error={problem} title="The output cannot be downloaded." />
      <Problem error={output.earlierError} title="Earlier lines cannot be read." />
      {lines.length === 0 ? (
        error === null && <NothingPrinted isOver={state.kind === 'ended'} />
      ) : (
        <OutputRows
          {...{ lines, firstNumber, search, hasTime, isWrapped, firstInView }}
          onTop={output.readEarlier}
        />
      )}
      <Footer output={output} />
    </section>
  )
}

interface OutputSearchProps {
  readonly search: Search
  readonly field: RefObject<HTMLInputElement | null>
  /** The number of the line in view, from which it begins. */
  readonly from: { readonly current: number }
}

function OutputSearch({ search, field, from }: OutputSearchProps) {
  const { text, count, position } = search
  return (
    <search className="output-search">
      <SearchField
        label="Search the output"
        placeholder="Search"
        isSmall
        field={field}
        value={text}
        onChange={(text) => search.look(text, from.current)}
        onKeyDown={({ key, shiftKey }) => key === 'Enter' && search.move(shiftKey ? -1 : 1)}
      />
      <Step label="Previous match" icon="up" disabled={count === 0} onClick={() => search.move(-1)} />
      <Step label="Next match" icon="down" disabled={count === 0} onClick={() => search.move(1)} />
      <output className="output-count muted">
        {text !== '' && (count === 0 ? 'Not found' : `${formatCount(position)} of ${formatCount(count)}`)}
      </output>
    </search>
  )
}

interface StepProps {
  readonly label: string
  readonly icon: 'up' | 'down'
  readonly disabled: boolean
  readonly onClick: () => void
}

const Step = ({ label, icon, ...button }: StepProps) => (
  <button type="button" className="button button-icon button-quiet" aria-label={label} {...button}>
    <Icon name={icon} />
  </button>
)

interface CheckProps {
  readonly label: string
  readonly isOn: boolean
  readonly onChange: (isOn: boolean) => void
}

const Check = ({ label, isOn, onChange }: CheckProps) => (
  <label className="check">
    <input type="checkbox" checked={isOn} onChange={({ target }) => onChange(target.checked)} />
    {label}
  </label>
)

function Footer({
  output: { lines, hasEarlier, isReadingEarlier, readEarlier, state },
}: {
  output: TaskOutput
}) {
  const hasErrors = lines.some(({ stream }) => stream === 'STDERR')
  return (
    <footer className="output-foot">
      <span className="output-state" data-state={state.kind}>
        {STATES[state.kind]}
      </span>
      <span>
        {formatCount(lines.length)} {lines.length === 1 ? 'line' : 'lines'}
      </span>
      {(hasEarlier || isReadingEarlier) && (
        <button type="button" className="link-button" onClick={readEarlier} disabled={isReadingEarlier}>
          {isReadingEarlier ? 'Reading earlier lines' : 'Read earlier lines'}
        </button>
      )}
      <span className="spacer" />
      {hasErrors && <span className="output-key">stderr</span>}
    </footer>
  )
}

const STATES = {
  connecting: 'Connecting',
  live: 'Live',
  reconnecting: 'Reconnecting',
  interrupted: 'Interrupted',
  ended: 'Complete',
} satisfies Record<TaskOutput['state']['kind'], string>

const NothingPrinted = ({ isOver }: { readonly isOver: boolean }) => (
  <Empty title={isOver ? 'Nothing was printed' : 'Nothing printed yet'}>
    <p className="muted">
      What a trainer prints appears here: of trainers that the server started, and of those that{' '}
      <code>epochcast run</code> watches over.
    </p>
  </Empty>
)
