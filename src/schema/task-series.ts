import type { MetricPoint, MetricSeries, SERIES_AXES } from '../task/curves/point.ts'
import { LIMITS } from '../task/limits.ts'
import { channelOf } from '../task/task.ts'
import { IS_PROPERTY } from './answer.ts'
import { builder } from './builder.ts'
import { completionTurns } from './completion-turns.ts'
import { PhaseEnum } from './enums.ts'
import { TaskObject } from './task.ts'
import { line, namesOf, wholeNumber } from './validation.ts'

/** Fields of a point; and what writing a point, or a series beside its points, costs in fields of graphql-js. */
const [POINT, WRITTEN_POINT, WRITTEN_SERIES] = [5, 5 / 8, 1]

const SeriesAxisEnum = builder.enumType('SeriesAxis', {
  description: 'What `MetricPoint.step` counts.',
  values: {
    STEP: { description: "The trainer's global step, or the progress's `current`." },
    EPOCH: {},
    ROUND: {},
    TIME: { description: 'Seconds since 1970: of machines, which know no step.' },
  } satisfies Record<(typeof SERIES_AXES)[number], unknown>,
})

const MetricPointObject = builder.objectRef<MetricPoint>('MetricPoint').implement({
  fields: (t) => ({
    step: t.exposeFloat('step', {
      description:
        "The report's `step` where it gave one; else its current, epoch or round (`MetricSeries.axis` says which).",
    }),
    epoch: t.exposeFloat('epoch', {
      nullable: true,
      description: 'The epoch it belongs to, where that is known: one x that all series of a task share.',
    }),
    value: t.expose('value', { type: 'MetricValue' }),
    timestamp: t.expose('timestamp', { type: 'DateTime' }),
    attempt: t.exposeInt('attempt', {
      description:
        'The launch it was reported in. Where a later attempt reported the same or an earlier step, the points of earlier attempts from that step on are left out: a curve never folds back on itself.',
    }),
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
    member: t.exposeString('member', {
      nullable: true,
      description: "Null for the task's own; else the rank, client or node it belongs to.",
    }),
    axis: t.expose('axis', { type: SeriesAxisEnum }),
    points: t.field({
      type: [MetricPointObject],
      description: 'By step; points of one step in the order in which they were reported.',
      resolve: async ({ points }) => {
        await completionTurns.take(points.length * POINT)
        return points as MetricPoint[]
      },
      extensions: { [IS_PROPERTY]: true },
    }),
  }),
})

/** Of a point with two or three of its fields. */
const POINT_CHARACTERS = 40

const sizeOfSeries = (series: readonly MetricSeries[]): number =>
  series.reduce((sum, { points }) => sum + points.length * POINT_CHARACTERS, 0)

/** Of a name as `Task.metrics` has it, with the prefix of a phase. */
const NAME_LENGTH = LIMITS.metricNameLength + 'test_'.length

/** A task with more series than this costs more than its query seems to; the points of an answer are bounded, too. */
const UNNAMED_SERIES = 20

builder.objectField(TaskObject, 'series', (t) =>
  t.field({
    type: [MetricSeriesObject],
    description:
      "Metric histories of the task's whole life for a chart, whatever the log has trimmed, thinned so that every spike and every first NaN or Infinity survives. With `cursor` in the same selection there is no seam: the series hold every event up to that cursor and none after it.",
    args: {
      names: t.arg.stringList({
        description:
          'Only these metrics, by their own names or those of `metrics` (`val_loss`); all of them where it is left out.',
        validate: namesOf('names', LIMITS.seriesNames, NAME_LENGTH),
      }),
      phase: t.arg({ type: PhaseEnum, description: 'Only this phase.' }),
      member: t.arg.string({ description: 'Only this member.', validate: line(LIMITS.memberLength) }),
      from: t.arg.float({
        description: 'Only steps from here on; the finer points that are stored for that part.',
      }),
      to: t.arg.float({ description: 'Only steps up to here.' }),
      maxPoints: t.arg.int({
        description: `Most points in one series; ${LIMITS.seriesPoints.default} by default, or fewer where there are very many series. All series of one answer have at most ${LIMITS.seriesPoints.answer}.`,
        validate: wholeNumber(LIMITS.seriesPoints.min, LIMITS.seriesPoints.max),
      }),
    },
    // By the points that it may have; of metrics that are not named there are some.
    complexity: ({ names, maxPoints }) => {
      const { default: most, answer } = LIMITS.seriesPoints
      const points = (names?.length ?? UNNAMED_SERIES) * (maxPoints ?? most)
      return { field: 300 + Math.min(points, answer) / 5, multiplier: 1 }
    },
    resolve: async (view, args, { services, answer }, info) => {
      const { names, phase, member, from, to, maxPoints } = args
      const read = () =>
        services.series.read(view, {
          names: names ? new Set(names) : null,
          phase: phase ?? null,
          member: member ?? null,
          from: from ?? null,
          to: to ?? null,
          maxPoints: maxPoints ?? null,
        })
      const { state, top } = view
      const key = JSON.stringify(['series', channelOf(state.spec), top, args])
      if (!answer) return read()
      const found = await answer.read(key, read, sizeOfSeries)
      const writer = answer.listWriter(info)
      if (!writer) return found
      for (const series of found) {
        await completionTurns.take(WRITTEN_SERIES + series.points.length * WRITTEN_POINT)
        writer.add([series])
      }
      return writer.end() ? [] : found
    },
  }),
)
