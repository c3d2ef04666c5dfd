import { useVirtualizer } from '@tanstack/react-virtual'
import { useEffect, useMemo, useRef, useState } from 'react'
import { useTrainingProgress } from '../../react/index.ts'
import type { TrainingProgressEvent } from '../../typescript/index.ts'
import { formatDate, formatTime } from '../ui/format.ts'
import { Icon } from '../ui/icons.tsx'
import { Problem } from '../ui/parts.tsx'
import { SearchField } from '../ui/search-field.tsx'
import { TONES, type Tone, wordsOf } from './event-words.ts'

const LAST = 1000
const MAX_EVENTS = 5000
/** Samples of machines come every few seconds, and have charts of their own. */
const HIDDEN_AT_FIRST: ReadonlySet<Tone> = new Set(['machine'])
const ROW_HEIGHT = 28
/** Within so many pixels of the end, the newest is followed. */
const NEAR_END = 40

interface EventLogProps {
  readonly taskId: string
  readonly channelPrefix: string
}

/** What happened, newest last; it follows the newest until somebody scrolls back. */
export function EventLog({ taskId, channelPrefix }: EventLogProps) {
  const { events, error } = useTrainingProgress(taskId, { channelPrefix, last: LAST, maxEvents: MAX_EVENTS })
  const [hidden, setHidden] = useState<ReadonlySet<Tone>>(HIDDEN_AT_FIRST)
  const [text, setText] = useState('')
  const [held, setHeld] = useState<readonly TrainingProgressEvent[] | null>(null)
  const shown = useMemo(() => filterEvents(held ?? events, hidden, text), [held, events, hidden, text])
  const waiting = held === null ? 0 : newerThan(events, held)
  const toggle = (tone: Tone) =>
    setHidden((before) => {
      const after = new Set(before)
      if (!after.delete(tone)) after.add(tone)
      return after
    })
  return (
    <section className="card events" aria-label="Events">
      <div className="toolbar">
        <SearchField label="Filter events" placeholder="Filter" isSmall value={text} onChange={setText} />
        <fieldset className="chips">
          <legend className="visually-hidden">Kinds of events</legend>
          {(Object.keys(TONES) as Tone[]).map((tone) => (
            <label key={tone} className="chip chip-toggle" data-tone={tone}>
              <input
                type="checkbox"
                className="visually-hidden"
                checked={!hidden.has(tone)}
                onChange={() => toggle(tone)}
              />
              <span>{TONES[tone]}</span>
            </label>
          ))}
        </fieldset>
        <span className="spacer" />
        <button type="button" className="button" onClick={() => setHeld(held === null ? events : null)}>
          <Icon name={held === null ? 'pause' : 'play'} />
          {held === null ? 'Pause' : `Go on${waiting > 0 ? ` (${waiting} new)` : ''}`}
        </button>
      </div>
      <Problem error={error} title="The events cannot be shown." />
      <EventRows events={shown} />
    </section>
  )
}

function EventRows({ events }: { events: readonly TrainingProgressEvent[] }) {
  const box = useRef<HTMLDivElement>(null)
  const follows = useRef(true)
  const virtual = useVirtualizer({
    count: events.length,
    getScrollElement: () => box.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 10,
  })
  // biome-ignore lint/correctness/useExhaustiveDependencies: whenever there are others
  useEffect(() => {
    if (follows.current && events.length > 0) virtual.scrollToIndex(events.length - 1, { align: 'end' })
  }, [events])
  const listen = () => {
    if (!box.current) return
    const { scrollTop, clientHeight, scrollHeight } = box.current
    follows.current = scrollHeight - scrollTop - clientHeight < NEAR_END
  }
  return (
    <div
      className="event-rows"
      ref={box}
      onScroll={listen}
      tabIndex={0}
      role="log"
      aria-live="off"
      aria-label="Event log"
    >
      <div style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map(({ index, start, key }) => {
          const event = events[index]
          if (!event) return null
          const { tone, kind, text, whole = text } = wordsOf(event)
          return (
            <div key={key} className="event" data-tone={tone} style={{ transform: `translateY(${start}px)` }}>
              <time dateTime={event.timestamp} title={formatDate(event.timestamp)}>
                {formatTime(event.timestamp)}
              </time>
              <span className="event-kind">{kind}</span>
              <span className="event-text" title={whole}>
                {text}
              </span>
            </div>
          )
        })}
      </div>
    </div>
  )
}

function filterEvents(
  events: readonly TrainingProgressEvent[],
  hidden: ReadonlySet<Tone>,
  text: string,
): readonly TrainingProgressEvent[] {
  const wanted = text.trim().toLowerCase()
  if (hidden.size === 0 && wanted === '') return events
  return events.filter((event) => {
    const words = wordsOf(event)
    return (
      !hidden.has(words.tone) &&
      (wanted === '' || `${words.kind} ${words.whole ?? words.text}`.toLowerCase().includes(wanted))
    )
  })
}

/** How many came after the newest of those. */
function newerThan(events: readonly TrainingProgressEvent[], held: readonly TrainingProgressEvent[]): number {
  const newest = held.at(-1)
  return newest === undefined ? events.length : events.length - 1 - events.lastIndexOf(newest)
}
