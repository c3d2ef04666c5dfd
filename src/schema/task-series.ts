import { readSeries } from '../feed/history.ts'
import { LIMITS } from '../task/limits.ts'
import type { MetricPoint, MetricSeries } from '../task/series.ts'
import { builder } from './builder.ts'
import { PhaseEnum } from './enums.ts'
import { TaskObject } from './task.ts'
import { listOf, wholeNumber } from './validation.ts'

const MetricPointObject = builder.objectRef<MetricPoint>('MetricPoint').implement({
  fields: (t) => ({
    step: t.exposeFloat('step', { description: "Epoch, round or step: the reporter's own x." }),
    value: t.expose('value', { type: 'MetricValue' }),
    timestamp: t.expose('timestamp', { type: 'DateTime' }),
  }),
})

const MetricSeriesObject = builder.objectRef<MetricSeries>('MetricSeries').implement({
  fields: (t) => ({
    name: t.exposeString('name'),
    phase: t.expose('phase', {
      type: PhaseEnum,
      nullable: true,
      description:
        'Null for values that came with progress. Fit metrics of a federated round are TRAIN, those of its evaluation VAL.',
    }),
    points: t.field({
      type: [MetricPointObject],
      resolve: ({ points }) => [...points],
    }),
  }),
})

builder.objectField(TaskObject, 'series', (t) =>
  t.field({
    type: [MetricSeriesObject],
    description:
      'Metric histories for a chart, thinned so that every spike survives (min and max per bucket, and what is not finite).',
    args: {
      names: t.arg.stringList({
        description: 'Only these metrics; all of them where it is left out.',
        validate: listOf('names', 0, LIMITS.seriesNames),
      }),
      maxPoints: t.arg.int({
        description: `Most points in one series; ${LIMITS.seriesPoints.default} by default.`,
        validate: wholeNumber(LIMITS.seriesPoints.min, LIMITS.seriesPoints.max),
      }),
    },
    complexity: { field: 5000, multiplier: 1 },
    resolve: ({ state }, { names, maxPoints }, { services }) =>
      readSeries(services.log, state.spec, names ?? null, maxPoints ?? LIMITS.seriesPoints.default),
  }),
)
