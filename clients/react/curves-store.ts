import { type Curve, CurveSet } from '../typescript/curve-set.ts'
import type { CurvesRequest } from '../typescript/curves.ts'
import { taskNotFound } from '../typescript/error.ts'
import {
  TaskSeriesDocument,
  type TaskSummaryFragment,
  TrainingProgressDocument,
} from '../typescript/generated/graphql.ts'
import { foldEvent, initialView, type TaskView } from '../typescript/task-view.ts'
import { read } from './read.ts'
import type { Source } from './source.ts'
import { type Status, Store } from './store.ts'

export interface CurvesSnapshot extends Status {
  readonly curves: readonly Curve[]
  readonly task: TaskView | null
}

export const NO_CURVES: CurvesSnapshot = {
  curves: [],
  task: null,
  state: { kind: 'connecting' },
  error: null,
}

/** `curves` for hooks: the series first, then what events add to them. */
export class CurvesStore extends Store<CurvesSnapshot> {
  readonly #request: CurvesRequest
  readonly #curves: CurveSet
  #task: TaskView | null = null

  constructor(source: Source, request: CurvesRequest) {
    super(source, NO_CURVES)
    this.#request = request
    this.#curves = new CurveSet(request, request.maxPoints)
  }

  hasValue({ task, state }: CurvesSnapshot): boolean {
    return task !== null || state.kind === 'ended'
  }

  protected open(): () => void {
    this.#curves.reset({ attempt: 1, series: [] })
    this.#task = null
    const { taskId: id, channelPrefix = null, names, phase, member, maxPoints } = this.#request
    const filter = { names: names ?? null, phase: phase ?? null, member: member ?? null }
    const variables = { id, channelPrefix, ...filter, maxPoints: maxPoints ?? null }
    let leave = () => {}
    const readSeries = () => {
      leave = read(this.source, TaskSeriesDocument, variables, {
        next: ({ task }) => {
          if (!task) throw taskNotFound(id)
          const { series, ...summary } = task
          this.#curves.reset({ attempt: task.attempt, series })
          this.#task = initialView(summary as TaskSummaryFragment)
          this.changed()
          follow(task.cursor)
        },
        waits: (state) => this.enter(state),
        error: (cause) => this.enter({ kind: 'ended', cause }),
      })
    }
    const follow = (after: string) => {
      const variables = { taskId: id, channelPrefix, after, last: null }
      let isCurrent = true
      leave = this.source.subscribe(TrainingProgressDocument, variables, {
        next: ({ trainingProgress: event }) => {
          if (event.__typename === 'StreamOpened') return
          if (event.__typename === 'EventsSkipped') {
            // What they told is in the series only. Leaving tells of an end that is none of the curves.
            isCurrent = false
            leave()
            return void readSeries()
          }
          this.#curves.add(event)
          if (this.#task) this.#task = foldEvent(this.#task, event)
          this.changed()
        },
        state: (state) => {
          if (isCurrent) this.enter(state)
        },
      })
    }
    readSeries()
    return () => leave()
  }

  protected look(status: Status): CurvesSnapshot {
    return { curves: this.#curves.snapshot(), task: this.#task, ...status }
  }
}
