import { type CSSProperties, memo } from 'react'
import type { OutputLineEvent } from '../../typescript/index.ts'
import { formatDate } from '../ui/format.ts'
import { Icon } from '../ui/icons.tsx'
import { spansOf } from './ansi.ts'
import { type Part, partsOf } from './find.ts'

interface OutputLineProps {
  readonly line: OutputLineEvent
  readonly pattern: RegExp | null
  readonly isCurrent: boolean
  readonly hasTime: boolean
}

/** What a trainer printed, or a note in the place of lines that are missing. Its text is text, whatever is in it. */
export const OutputLine = memo(function OutputLine({ line, pattern, isCurrent, hasTime }: OutputLineProps) {
  const { timestamp, stream, text, member, isCut, skip } = line
  if (skip)
    return (
      <span className="output-note">
        <Icon name="warning" />
        {text}
      </span>
    )
  return (
    <>
      {hasTime && (
        <time className="output-time" dateTime={timestamp} title={formatDate(timestamp)}>
          {timeOf(timestamp)}
        </time>
      )}
      {stream === 'STDERR' && <span className="visually-hidden">stderr: </span>}
      {member != null && <span className="output-member">{member}</span>}
      <span className="output-text">
        {partsOf(spansOf(text), pattern).map((part, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: parts of one text have no other name
          <PartOfLine key={index} part={part} isCurrent={isCurrent} />
        ))}
        {isCut && (
          <span className="output-cut" title="The next line has more of it, or a newer state of it">
            ⋯<span className="visually-hidden"> goes on in the next line</span>
          </span>
        )}
      </span>
    </>
  )
})

function PartOfLine({ part, isCurrent }: { readonly part: Part; readonly isCurrent: boolean }) {
  const { text, isMatch } = part
  if (isMatch) return <mark data-current={isCurrent || undefined}>{text}</mark>
  const classes = classesOf(part)
  if (classes === '') return text
  return (
    <span className={classes} style={styleOf(part)}>
      {text}
    </span>
  )
}

const classesOf = (part: Part): string =>
  [
    part.background ? 'ansi-filled' : part.color && 'ansi-colored',
    part.isInverse && 'ansi-inverse',
    part.isBold && 'ansi-bold',
    part.isDim && 'ansi-dim',
    part.isItalic && 'ansi-italic',
    part.isUnderlined && 'ansi-underlined',
    part.isStruck && 'ansi-struck',
  ]
    .filter(Boolean)
    .join(' ')

/** As properties: the style sheet makes of them what can be read on the theme's ground. */
const styleOf = ({ color, background }: Part): CSSProperties =>
  ({
    ...(color && { '--ansi': color }),
    ...(background && { '--ansi-ground': background }),
  }) as CSSProperties

/** With milliseconds, in the time of who looks. */
function timeOf(timestamp: string): string {
  const at = new Date(timestamp)
  const two = (value: number) => String(value).padStart(2, '0')
  const milliseconds = String(at.getMilliseconds()).padStart(3, '0')
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${milliseconds}`
}
