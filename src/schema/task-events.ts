import { textSize } from '../bounds/text-size.ts'
import { type HistoryPage, readHistory, type Skipped } from '../feed/history.ts'
import { LIMITS } from '../task/limits.ts'
import { decodeCursor, encodeCursor } from '../task/position.ts'
import { delivered, type EventsSkipped, type TrainingEvent } from '../task/stream-event.ts'
import { channelOf, type TaskKey } from '../task/task.ts'
import { builder } from './builder.ts'
import { pageConnection } from './page.ts'
import { TaskObject } from './task.ts'
import { TrainingEventInterface } from './training-event.ts'
import { wholeNumber } from './validation.ts'

const eventsSkipped = (key: TaskKey, { reason, skipped, resumeAt }: Skipped): EventsSkipped => ({
  type: 'EventsSkipped',
  taskId: key.id,
  timestamp: new Date().toISOString(),
  cursor: encodeCursor(key, resumeAt),
  count: skipped,
  skipReason: reason,
})

/** Of an event, and its edge. */
const EVENT_FIELDS = 20

const sizeOfPage = ({ entries }: HistoryPage): number => textSize(entries, LIMITS.answerReads)

const TrainingEventConnection = pageConnection('TrainingEvent', TrainingEventInterface, EVENT_FIELDS)

builder.objectField(TaskObject, 'events', (t) =>
  t.field({
    type: TrainingEventConnection,
    description:
      'The retained log, oldest first. Where events after `after` can no longer be read, the first edge is EventsSkipped, with the cursor from which the rest goes on; hasPreviousPage is true wherever there were events before, retained or not.',
    args: {
      first: t.arg.int({ validate: wholeNumber(0, LIMITS.eventsPage.max) }),
      after: t.arg({ type: 'Cursor' }),
    },
    complexity: ({ first }) => ({ field: 10, multiplier: (first ?? LIMITS.eventsPage.default) / 10 }),
    resolve: async ({ state: { spec } }, { first, after }, { services, answer }) => {
      const position = after == null ? null : decodeCursor(spec, after)
      const limit = first ?? LIMITS.eventsPage.default
      const read = () => readHistory(services.log, spec, position, limit)
      const key = JSON.stringify(['events', channelOf(spec), position, limit])
      const page = await (answer?.read(key, read, sizeOfPage) ?? read())
      const nodes: TrainingEvent[] = delivered(spec, page.generation, page.entries)
      if (page.skipped) nodes.unshift(eventsSkipped(spec, page.skipped))
      return { nodes, hasMore: page.hasMore, hasPrevious: page.hasPrevious }
    },
  }),
)
