import { readHistory } from '../feed/history.ts'
import { LIMITS } from '../task/limits.ts'
import { decodeCursor } from '../task/position.ts'
import { delivered } from '../task/stream-event.ts'
import { builder } from './builder.ts'
import { TaskObject } from './task.ts'
import { TrainingEventInterface } from './training-event.ts'
import { wholeNumber } from './validation.ts'

const TrainingEventConnection = builder.connectionObject({
  type: TrainingEventInterface,
  name: 'TrainingEventConnection',
})

builder.objectField(TaskObject, 'events', (t) =>
  t.field({
    type: TrainingEventConnection,
    description: 'The retained log, oldest first.',
    args: {
      first: t.arg.int({ validate: wholeNumber(0, LIMITS.eventsPage.max) }),
      after: t.arg({ type: 'Cursor' }),
    },
    complexity: ({ first }) => ({ field: 10, multiplier: (first ?? LIMITS.eventsPage.default) / 10 }),
    resolve: async ({ state: { spec } }, { first, after }, { services }) => {
      const position = after == null ? null : decodeCursor(spec, after)
      const limit = first ?? LIMITS.eventsPage.default
      const { entries, generation, hasMore } = await readHistory(services.log, spec, position, limit)
      const edges = delivered(spec, generation, entries).map((node) => ({ cursor: node.cursor, node }))
      return {
        edges,
        pageInfo: {
          hasNextPage: hasMore,
          hasPreviousPage: position !== null && position.offset > 0,
          startCursor: edges[0]?.cursor ?? null,
          endCursor: edges.at(-1)?.cursor ?? null,
        },
      }
    },
  }),
)
