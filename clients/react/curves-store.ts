import { type Curve, CurveSet } from '../typescript/curve-set.ts'
import type { CurvesRequest } from '../typescript/curves.ts'
import { EpochcastClientError } from '../typescript/error.ts'
import {
  TaskSeriesDocument,
  type TaskSummaryFragment,
  TrainingProgressDocument,
} from '../typescript/generated/graphql.ts'
import { DEFAULT_RETRY, retryDelayMs } from '../typescript/retry.ts'
import { schedule } from '../typescript/schedule.ts'
import { foldEvent, initialView, type TaskView } from '../typescript/task-view.ts'
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
    let isLeft = false
    let leave = () => {}
    const read = async (attempt: number): Promise<void> => {
      const { taskId: id, channelPrefix, names, phase, member, maxPoints } = this.#request
      try {
        const filter = { names: names ?? null, phase: phase ?? null, member: member ?? null }
        const variables = {
          id,
          channelPrefix: channelPrefix ?? null,
          ...filter,
          maxPoints: maxPoints ?? null,
        }
        const { task } = await this.source.execute(TaskSeriesDocument, variables)
        if (isLeft) return
        if (!task) throw notFound(id)
        const { series, ...summary } = task
        this.#curves.reset({ attempt: task.attempt, series })
        this.#task = initialView(summary as TaskSummaryFragment)
        this.changed()
        follow(task.cursor)
      } catch (error) {
        if (isLeft) return
        if (!(error instanceof EpochcastClientError && error.retryable)) {
          return void this.enter({ kind: 'ended', cause: error })
        }
        const delayMs = retryDelayMs(attempt, DEFAULT_RETRY)
        this.enter({ kind: 'reconnecting', attempt, nextTryAt: Date.now() + delayMs, cause: error })
        leave = schedule(delayMs, () => void read(attempt + 1))
      }
    }
    const follow = (after: string) => {
      const { taskId, channelPrefix = null } = this.#request
      const variables = { taskId, channelPrefix, after, last: null }
      let isCurrent = true
      leave = this.source.subscribe(TrainingProgressDocument, variables, {
        next: ({ trainingProgress: event }) => {
          if (event.__typename === 'StreamOpened') return
          if (event.__typename === 'EventsSkipped') {
            // What they told is in the series only. Leaving tells of an end that is none of the curves.
            isCurrent = false
            leave()
            return void read(1)
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
    void read(1)
    return () => {
      isLeft = true
      leave()
    }
  }

  protected look(status: Status): CurvesSnapshot {
    return { curves: this.#curves.snapshot(), task: this.#task, ...status }
  }
}

function notFound(taskId: string): EpochcastClientError {
  return new EpochcastClientError(`there is no task ${taskId}`, { code: 'TASK_NOT_FOUND', retryable: false })
}
