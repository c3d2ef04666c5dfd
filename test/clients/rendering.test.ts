import { describe, expect, it } from 'vitest'
import { endingLines } from '../../clients/cli/render/ending.ts'
import { eventLine } from '../../clients/cli/render/event-line.ts'
import { formatMetric, formatSeconds } from '../../clients/cli/render/format.ts'
import { liveView } from '../../clients/cli/render/live-view.ts'
import { sparkline } from '../../clients/cli/render/sparkline.ts'
import { hasColors } from '../../clients/cli/render/styles.ts'
import { table } from '../../clients/cli/render/table.ts'
import { jsonLine, printable, truncate, widthOf } from '../../clients/cli/render/text.ts'
import { taskTable } from '../../clients/cli/tasks.ts'
import { writeLine } from '../../clients/cli/terminal.ts'
import {
  afterConnectionChange,
  afterEvent,
  afterTold,
  initialState,
  type WatchState,
} from '../../clients/cli/watch-state.ts'
import {
  EpochcastClientError,
  type TaskSummaryFragment,
  type TrainingProgressEvent,
} from '../../clients/typescript/index.ts'
import { testTerminal } from './support/terminal.ts'

const startedAt = '2026-11-21T10:00:00.000Z'
const at = (seconds: number): number => Date.parse(startedAt) + seconds * 1000
const timeOf = (seconds: number): string => new Date(at(seconds)).toISOString()

const task: TaskSummaryFragment = {
  id: '7f3c',
  channelPrefix: 'gan:training',
  channel: 'gan:training:7f3c',
  trainer: 'tvae',
  machineId: 'motor_siemens_001',
  status: 'RUNNING',
  attempt: 1,
  firstEpoch: 1,
  stopRequested: false,
  metrics: {},
  createdAt: startedAt,
  startedAt,
  updatedAt: startedAt,
  cursor: 'c0',
}

const envelope = (seconds: number) => ({ taskId: '7f3c', timestamp: timeOf(seconds), cursor: `c${seconds}` })

/** What a change of status says of the first launch. */
const first = { attempt: 1, stopRequested: false } as const

const progress = (
  seconds: number,
  loss: number | 'NaN' | 'Infinity',
  metrics: Record<string, number | 'NaN'> = {},
): TrainingProgressEvent => ({
  __typename: 'ProgressUpdate',
  ...envelope(seconds),
  status: 'RUNNING',
  current: seconds,
  total: 100,
  progress: seconds,
  stage: 'train',
  epoch: 3,
  loss,
  metrics,
})

const stateAfter = (...events: readonly TrainingProgressEvent[]): WatchState =>
  events.reduce((state, event) => afterEvent(state, event, Date.parse(event.timestamp)), initialState(task))

const drawn = (state: WatchState, seconds: number, width = 80): string[] =>
  liveView(state, { width, colors: false, now: at(seconds) })

describe('the live view', () => {
  it('shows how far the training is, its numbers and its times', () => {
    const state = stateAfter(
      { __typename: 'EpochStarted', ...envelope(1), epoch: 3, totalEpochs: 5 },
      progress(10, 0.9),
      progress(20, 0.5),
      progress(25, 0.25, { accuracy: 0.91234, val_loss: 0.3 }),
    )
    const told = afterTold(state, { ...task, etaSeconds: 75, updatedAt: timeOf(25) })
    expect(drawn(told, 30)).toEqual([
      'RUNNING  tvae  motor_siemens_001  7f3c',
      '████████░░░░░░░░░░░░░░░░░░░░░░░░ 25 %   epoch 3/5 · 25/100 · train',
      'loss 0.25  █▄▁',
      'accuracy 0.9123  val_loss 0.3',
      'elapsed 30s  ETA 1m 10s',
    ])
  })

  it('shows epochs that begin at zero as the first, fractions of epochs, and the global step', () => {
    const placeOf = (...events: readonly TrainingProgressEvent[]) => drawn(stateAfter(...events), 1, 120)[1]
    const start = {
      __typename: 'EpochStarted',
      ...envelope(1),
      epoch: 0,
      totalEpochs: 5,
      progress: 0,
    } as const
    expect(placeOf(start)).toBe(`${'░'.repeat(40)} 0 %    epoch 1/5`)
    const half = Object.assign(progress(0, 1), { epoch: 0.126, step: 2 ** 40 })
    expect(placeOf(start, half)).toMatch(/ epoch 0\.13\/5 · 0\/100 · train · step 1099511627776$/)
    // The trainer counts by its step; or another rank told it.
    expect(placeOf(start, Object.assign(progress(7, 1), { step: 7 }))).toMatch(
      / epoch 4\/5 · 7\/100 · train$/,
    )
    expect(placeOf(start, Object.assign(progress(7, 1), { member: 'rank-1' }))).toMatch(/ epoch 1\/5$/)
  })

  it.each<[string, number, 0 | 1, number | null, string]>([
    ['the first', 1, 1, 10, '1/10'],
    ['the last', 10, 1, 10, '10/10'],
    ['the first of those from 0', 0, 0, 10, '1/10'],
    ['the last of those from 0', 9, 0, 10, '10/10'],
    ['one of nobody knows how many', 0, 0, null, '1'],
    ['one more than there should be', 11, 1, 10, '10/10'],
    ['a fraction', 0.126, 1, 3, '0.13/3'],
  ])('and the list of tasks show %s epoch as a person counts', (_, epoch, firstEpoch, totalEpochs, shown) => {
    const place = { epoch, firstEpoch, totalEpochs }
    expect(drawn(initialState({ ...task, ...place }), 1)[1]).toBe(`epoch ${shown}`)
    expect(taskTable([{ ...task, ...place }], at(1))[1]).toMatch(new RegExp(` ${shown} +- `))
  })

  it("counts by the server's clock, whatever the clocks of the trainer and of this computer say", () => {
    const opened: TrainingProgressEvent = {
      __typename: 'StreamOpened',
      ...envelope(60),
      channel: task.channel,
      message: 'watching',
      task: { ...task, etaSeconds: 40, updatedAt: timeOf(60) },
    }
    for (const hours of [-1, 0, 1]) {
      const state = afterEvent(initialState(task), opened, at(3600 * hours))
      expect(state.clockAheadMs).toBe(60_000 - 3_600_000 * hours)
      const reported = afterEvent(state, { ...progress(1, 1), timestamp: timeOf(3600 * hours) }, at(0))
      expect(drawn(reported, 65).at(-1)).toBe('elapsed 1m 05s  ETA 35s')
      expect(drawn(reported, 200).at(-1)).toBe('elapsed 3m 20s  ETA 0s')
    }
  })

  it('shows a loss that is no longer a number, in the value and in the curve', () => {
    const lines = drawn(stateAfter(progress(1, 2), progress(2, 1), progress(3, 'NaN', { gan: 'NaN' })), 3)
    expect(lines[2]).toBe('loss NaN  █▁×')
    expect(lines[3]).toBe('gan NaN')
  })

  it('says that the connection is lost, until it is back', () => {
    const error = new EpochcastClientError('cannot reach ws://host/graphql: ECONNREFUSED', {
      code: 'CONNECTION_FAILED',
      retryable: true,
    })
    const lost = { kind: 'lost', error, attempt: 2, attempts: 12, delayMs: 500 } as const
    const state = afterConnectionChange(stateAfter(progress(10, 1)), lost)
    expect(drawn(state, 11).at(-1)).toBe(
      'connection lost, retrying (2 of 12): cannot reach ws://host/graphql: ECONNREFUS…',
    )
    expect(drawn(afterConnectionChange(state, { kind: 'resumed' }), 11).at(-1)).toMatch(/^elapsed/)
  })

  it('says what stands in the way: events lost, an engine out of reach, a silent trainer', () => {
    const skipped = stateAfter({
      __typename: 'EventsSkipped',
      ...envelope(1),
      count: 12,
      skipReason: 'TRIMMED',
    })
    expect(drawn(skipped, 2)).toContain('12 events can no longer be delivered')
    const interrupted = stateAfter({ __typename: 'StreamInterrupted', ...envelope(1), error: 'ECONNRESET' })
    expect(drawn(interrupted, 2)).toContain("the server's engine is out of reach: ECONNRESET")
    expect(drawn(afterEvent(interrupted, progress(2, 1), at(2)), 2).join()).not.toContain('ECONNRESET')
    const stalled = stateAfter({ __typename: 'StatusChanged', ...envelope(130), ...first, status: 'STALLED' })
    expect(drawn(stalled, 140)).toContain('nothing heard from the trainer for 2m 20s')
  })

  it('shows a task that waits for its trainer', () => {
    const { startedAt: _, ...queued } = task
    const state = initialState({ ...queued, status: 'QUEUED' })
    expect(drawn(state, 65)).toEqual(['QUEUED  tvae  motor_siemens_001  7f3c', 'waiting for 1m 05s'])
  })

  it('takes the rounds of a federated training for its progress', () => {
    const state = stateAfter({
      __typename: 'RoundEnded',
      ...envelope(10),
      round: 5,
      totalRounds: 20,
      progress: 25,
      fitMetrics: { loss: 0.4 },
      evalMetrics: { accuracy: 0.8 },
    })
    expect(drawn(state, 10).slice(1, 4)).toEqual([
      '████████░░░░░░░░░░░░░░░░░░░░░░░░ 25 %   round 5/20',
      'loss 0.4',
      'eval_accuracy 0.8',
    ])
  })

  it('shows rounds beside the progress of a trainer that reports both', () => {
    const round = (number: number): TrainingProgressEvent => ({
      __typename: 'RoundEnded',
      ...envelope(number),
      round: number,
      totalRounds: 20,
      progress: number < 5 ? 20 : 25,
      fitMetrics: {},
      evalMetrics: { loss: 0.7 },
    })
    const state = stateAfter(round(4), progress(25, 0.4), round(5))
    expect(drawn(state, 25).slice(1, 4)).toEqual([
      '████████░░░░░░░░░░░░░░░░░░░░░░░░ 25 %   round 5/20 · epoch 3 · 25/100 · train',
      'loss 0.4',
      'eval_loss 0.7',
    ])
  })

  it('follows a launch and a stop request', () => {
    const launch = {
      __typename: 'StatusChanged',
      ...envelope(60),
      ...first,
      attempt: 2,
      status: 'RUNNING',
    } as const
    const stop = { ...launch, stopRequested: true, message: 'stop requested' }
    const state = stateAfter(progress(25, 0.4), launch, stop)
    expect(state.task).toMatchObject({ attempt: 2, stopRequested: true })
    const lines = drawn(state, 70)
    expect(lines[0]).toBe('RUNNING (stopping)  tvae  motor_siemens_001  attempt 2  7f3c')
    expect(lines.join()).not.toContain('elapsed')
    const told = afterTold(state, { ...task, attempt: 2, startedAt: timeOf(60) })
    expect(drawn(told, 70).at(-1)).toMatch(/^elapsed 10s/)
  })

  it('fits any terminal, whatever the trainer calls its things', () => {
    const metrics = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`金属疲労_${i}`, i / 7]))
    const events = Array.from({ length: 300 }, (_, i) => progress(i / 3, i % 9 ? 1 / i : 'NaN', metrics))
    const wide = initialState({ ...task, machineId: '工作機械🚀'.repeat(10), message: 'x'.repeat(500) })
    const state = events.reduce(afterEvent, wide)
    for (let width = 10; width <= 160; width++) {
      for (const line of drawn(state, 100, width)) expect(widthOf(line)).toBeLessThanOrEqual(width)
    }
  })

  it('is coloured only where colours are wanted', () => {
    const state = stateAfter(progress(10, 0.5))
    const coloured = liveView(state, { width: 80, colors: true, now: at(10) }).join('\n')
    expect(coloured).toContain('\u001b[36m')
    expect(drawn(state, 10).join('\n')).not.toContain('\u001b')
    const { stdout } = testTerminal({ isTTY: true })
    expect(hasColors(stdout, {})).toBe(true)
    expect(hasColors(stdout, { NO_COLOR: '1' })).toBe(false)
    expect(hasColors(testTerminal().stdout, {})).toBe(false)
  })
})

describe('an event as a line', () => {
  it('can be searched and cut by tools', () => {
    const event = progress(25, 'Infinity', { accuracy: 0.9, 'odd name': 1 })
    expect(eventLine(event)).toBe(
      '2026-11-21T10:00:25.000Z progress current=25 total=100 percent=25 epoch=3 stage=train loss=Infinity metric.accuracy=0.9 "metric.odd name"=1',
    )
  })

  it('is one line and harmless, whatever a trainer says', () => {
    const error = 'Boom\n  at x.py\u001b[2J\u009b31m\u202e "quoted"'
    const line = eventLine({ __typename: 'ErrorReported', ...envelope(1), error, errorType: null })
    expect(line).toBe('2026-11-21T10:00:01.000Z error error="Boom\\n  at x.py\\u001b[2J  \\"quoted\\""')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: their absence is the point
    expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/)
  })

  it('names the kind of an event that this program does not know', () => {
    const event = { __typename: 'CheckpointSaved', ...envelope(1) } as unknown as TrainingProgressEvent
    expect(eventLine(event)).toBe('2026-11-21T10:00:01.000Z CheckpointSaved')
  })

  it('has a kind for every event', () => {
    const lines = [
      { __typename: 'EpochEnded', ...envelope(1), epoch: 2, phase: 'VAL', metrics: { loss: 'NaN' } },
      {
        __typename: 'EpochEnded',
        ...envelope(1),
        epoch: 0,
        step: 9,
        member: 'r1',
        phase: 'TRAIN',
        metrics: {},
      },
      Object.assign(progress(1, 0.5, { lr: 1 }), { epoch: 0.25, step: 9, message: 'm' }),
      { __typename: 'TrainingSucceeded', ...envelope(2), result: { accuracy: 0.9 } },
      { __typename: 'TrainingCancelled', ...envelope(3), reason: null },
      { __typename: 'StatusChanged', ...envelope(4), ...first, status: 'RUNNING' },
      { __typename: 'StatusChanged', ...envelope(4), status: 'RUNNING', attempt: 2, stopRequested: true },
      { __typename: 'EventsSkipped', ...envelope(4), count: 3, skipReason: 'TRIMMED' },
      { __typename: 'StreamOpened', ...envelope(5), channel: 'c:7f3c', message: 'hello', task },
    ] as const
    expect(lines.map(eventLine).map((line) => line.slice(25))).toEqual([
      'epoch-end epoch=2 phase=VAL metric.loss=NaN',
      'epoch-end epoch=0 step=9 member=r1 phase=TRAIN',
      'progress current=1 total=100 percent=1 epoch=0.25 step=9 stage=train loss=0.5 metric.lr=1 message=m',
      'success result={"accuracy":0.9}',
      'cancelled',
      'status status=RUNNING',
      'status status=RUNNING attempt=2 stopping=true',
      'skipped count=3 reason=TRIMMED',
      'opened channel=c:7f3c status=RUNNING trainer=tvae machine=motor_siemens_001',
    ])
  })
})

describe('the ending', () => {
  /** @param seconds how long it took, by the server's clock */
  const ending = (event: TrainingProgressEvent, seconds: number) =>
    endingLines(afterTold(stateAfter(event), { ...task, finishedAt: timeOf(seconds) }), false)

  const failed: TrainingProgressEvent = {
    __typename: 'TrainingFailed',
    ...envelope(83),
    error: 'loss is NaN\n  File "train.py", line 3\n\u001b[31m    raise\u001b[0m\n',
    errorType: 'ValueError',
  }

  it('shows the result, or the error with the last words of the trainer', () => {
    const result = { accuracy: 0.93 }
    expect(ending({ __typename: 'TrainingSucceeded', ...envelope(83), result }, 83)).toEqual([
      'SUCCESS 7f3c after 1m 23s',
      'result {"accuracy":0.93}',
    ])
    expect(ending(failed, 83)).toEqual([
      'FAILURE 7f3c after 1m 23s',
      'error ValueError: loss is NaN',
      '    File "train.py", line 3',
      '      raise',
    ])
    const cancelled = { __typename: 'TrainingCancelled', ...envelope(5), reason: 'enough' } as const
    expect(ending(cancelled, 5)).toEqual(['CANCELLED 7f3c after 5s', 'reason enough'])
    expect(endingLines(stateAfter(cancelled), false)[0]).toBe('CANCELLED 7f3c')
  })
})

describe('text', () => {
  it('is measured and cut in columns, not in characters', () => {
    expect(widthOf('工作機械')).toBe(8)
    expect(widthOf('e\u0301🚀')).toBe(3)
    expect(truncate('工作機械', 6)).toBe('工作…')
    expect(truncate('short', 5)).toBe('short')
    expect(truncate('longer', 5)).toBe('long…')
    expect(truncate('any', 0)).toBe('')
  })

  it('cannot steer the terminal', () => {
    expect(printable('a\u001b]0;title\u0007b\r\nc\u202ed')).toBe('ab c d')
  })

  it('has numbers and times that can be read at a glance', () => {
    const metrics = [0.123456, 12345.6, 0.00001234, 3, 1234.5678, 'NaN', '-Infinity'] as const
    expect(metrics.map(formatMetric)).toEqual(['0.1235', '12346', '1.23e-5', '3', '1235', 'NaN', '-Infinity'])
    const seconds = [0, 0.85, 42.9, 185, 7620, 273_600]
    expect(seconds.map(formatSeconds)).toEqual(['0s', '0.8s', '42s', '3m 05s', '2h 07m', '3d 4h'])
  })

  it('has curves of any length in few columns', () => {
    expect(sparkline([1, 2, 3, 4, 5, 6, 7, 8], 8)).toBe('▁▂▃▄▅▆▇█')
    expect(sparkline([5, 5, 5], 10)).toBe('▁▁▁')
    expect(sparkline(['NaN', 'Infinity'], 10)).toBe('××')
    expect(sparkline([-1e308, 0, 1e308], 10)).toBe('▁▅█')
    expect(sparkline([-Number.MAX_VALUE, 'NaN', Number.MAX_VALUE, 1e308], 10)).toBe('▁×█▆')
    expect(sparkline([0, Number.MIN_VALUE], 10)).toBe('▁█')
    expect(sparkline([1, 2, 'NaN', 3, 4, 4], 3)).toBe('▁×█')
    expect(sparkline([], 10)).toBe('')
  })
})

describe('tables', () => {
  it('align their columns, and mark what is empty', () => {
    const columns = [
      { title: 'NAME', value: ({ name }: { name: string }) => name },
      { title: 'N', align: 'right' as const, value: ({ n }: { n: string }) => n },
    ]
    const rows = [
      { name: '機械', n: '7' },
      { name: 'motor', n: '1234' },
      { name: '', n: '' },
    ]
    expect(table<{ name: string; n: string }>(columns, rows)).toEqual([
      'NAME      N',
      '機械      7',
      'motor  1234',
      '-         -',
    ])
  })

  it('of tasks show the channel prefix where there is more than one', () => {
    const other = { ...task, id: '9a', channelPrefix: 'ml:training', loss: 'NaN' as const, progress: 12.7 }
    expect(taskTable([task], at(90))).toEqual([
      'TASK  STATUS   TRAINER  MACHINE            DONE  EPOCH  LOSS     UPDATED',
      '7f3c  RUNNING  tvae     motor_siemens_001     -      -     -  1m 30s ago',
    ])
    expect(taskTable([task, other], at(90)).at(-1)).toBe(
      '9a    RUNNING  tvae     motor_siemens_001   12%      -   NaN  1m 30s ago  ml:training',
    )
  })
})

it('JSON for scripts has nothing in it that steers a terminal or ends a line, and is the same value', () => {
  const value = { name: 'a\u001b[2J\u009b31m\u2028b\u202ec\u007f\u0085\nd', 'k\u009b': [null, 'ü😀'] }
  const line = jsonLine(value)
  expect(JSON.parse(line)).toEqual(value)
  expect(line).not.toMatch(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u)
  expect(line).toContain('ü😀')
})

it('a line that is written is one line, and steers nothing but colours, whoever forgot to make it legible', () => {
  const terminal = testTerminal()
  writeLine(terminal.stdout, 'a\nb\r\u001b[2Jc\u009b31md\u2028e\u202ef\u0085\u0007 \u001b[31mred\u001b[39m')
  expect(terminal.out).toBe('a b  [2Jc 31md e f   \u001b[31mred\u001b[39m\n')
})
