import { useVirtualizer } from '@tanstack/react-virtual'
import { type RefObject, useEffect, useLayoutEffect, useRef, useState } from 'react'
import type { OutputLineEvent } from '../../typescript/index.ts'
import { formatCount } from '../ui/format.ts'
import { Icon } from '../ui/icons.tsx'
import { OutputLine } from './output-line.tsx'
import type { Search } from './use-search.ts'

interface OutputRowsProps {
  readonly lines: readonly OutputLineEvent[]
  readonly firstNumber: number
  readonly search: Search
  readonly hasTime: boolean
  readonly isWrapped: boolean
  /** Set to the number of the first line in view. */
  readonly firstInView: RefObject<number>
  /** Somebody scrolled to the first line. */
  readonly onTop: () => void
}

const ROW_HEIGHT = 20
/** Within so many pixels of the end, the newest is followed; and of the start, earlier lines are read. */
const NEAR_END = 30
const NEAR_START = 40

/** Only the lines in view are in the page. The end is followed until somebody scrolls back, or goes to a match. */
export function OutputRows(props: OutputRowsProps) {
  const { lines, firstNumber, search, hasTime, isWrapped, firstInView, onTop } = props
  const box = useRef<HTMLDivElement>(null)
  const [follows, setFollows] = useState(true)
  const [seen, setSeen] = useState(0)
  const scrolled = useRef({ top: 0, firstNumber })
  const end = firstNumber + lines.length
  const virtual = useVirtualizer({
    count: lines.length,
    getScrollElement: () => box.current,
    estimateSize: () => ROW_HEIGHT,
    getItemKey: (index) => firstNumber + index,
    overscan: 20,
  })
  const height = virtual.getTotalSize()
  const items = virtual.getVirtualItems()

  // biome-ignore lint/correctness/useExhaustiveDependencies: heights are others where lines are wrapped otherwise
  useLayoutEffect(() => virtual.measure(), [isWrapped])

  // Lines that were put before those in view, or have left there, are not to move what is read.
  useLayoutEffect(() => {
    const moved = (scrolled.current.firstNumber - firstNumber) * ROW_HEIGHT
    scrolled.current.firstNumber = firstNumber
    if (box.current && moved !== 0) box.current.scrollTop += moved
  }, [firstNumber])

  // biome-ignore lint/correctness/useExhaustiveDependencies: whenever there is more, or its height is known
  useLayoutEffect(() => {
    if (follows && box.current) box.current.scrollTop = box.current.scrollHeight
  }, [follows, end, height])

  // biome-ignore lint/correctness/useExhaustiveDependencies: only when there is another one
  useEffect(() => {
    if (search.current === null) return
    setFollows(false)
    virtual.scrollToIndex(search.current - firstNumber, { align: 'center' })
  }, [search.current, search.text])

  useEffect(() => {
    if (follows) setSeen(end)
  }, [follows, end])

  const listen = () => {
    if (!box.current) return
    const { scrollTop, clientHeight, scrollHeight } = box.current
    const isUp = scrollTop < scrolled.current.top
    scrolled.current.top = scrollTop
    if (scrollHeight - scrollTop - clientHeight < NEAR_END) setFollows(true)
    // What grows below moves nobody up.
    else if (isUp) setFollows(false)
    if (isUp && scrollTop < NEAR_START) onTop()
  }
  const first = items.find((item) => item.end > (virtual.scrollOffset ?? 0))
  firstInView.current = firstNumber + (first?.index ?? 0)
  const waiting = end - seen
  return (
    <div className="output-view">
      <div
        className="output-rows"
        ref={box}
        onScroll={listen}
        tabIndex={0}
        role="log"
        aria-live="off"
        aria-label="Console output"
        data-wrapped={isWrapped || undefined}
      >
        <div style={{ height }}>
          {items.map(({ index, start, key }) => {
            const line = lines[index]
            if (!line) return null
            const isCurrent = search.current === firstNumber + index
            return (
              <div
                key={key}
                ref={isWrapped ? virtual.measureElement : null}
                data-index={index}
                className="output-row"
                data-stream={line.stream ?? undefined}
                data-note={line.skip ? '' : undefined}
                data-current={isCurrent || undefined}
                style={{ transform: `translateY(${start}px)` }}
              >
                <OutputLine line={line} pattern={search.pattern} isCurrent={isCurrent} hasTime={hasTime} />
              </div>
            )
          })}
        </div>
      </div>
      {!follows && (
        <button type="button" className="button output-latest" onClick={() => setFollows(true)}>
          <Icon name="down" />
          Jump to latest
          {waiting > 0 && <span className="muted">{formatCount(waiting)} new</span>}
        </button>
      )}
    </div>
  )
}
