import { TaskDocument, type TaskSummaryFragment, TaskUpdatesDocument } from '../typescript/index.ts'
import { EXIT, exitCodeOf } from './exit-codes.ts'
import { linePrinter } from './logs.ts'
import { endingLines } from './render/ending.ts'
import { hasColors } from './render/styles.ts'
import { type Connection, reportError } from './session.ts'
import { type Terminal, writeLine } from './terminal.ts'
import { lineViewer, type Viewer } from './viewer.ts'
import { afterConnectionChange, afterEvent, afterTold, initialState } from './watch-state.ts'

export interface FollowOptions {
  readonly after?: string | undefined
  readonly last?: number | undefined
  /** With what it prints. */
  readonly output?: boolean | undefined
  /** One event a line, as JSON. */
  readonly json: boolean
}

/** How often a live view asks what the events do not tell. */
const TOLD_INTERVAL_MS = 1000
/** Longest wait, at the end, for how long the training took. */
const ENDING_TIMEOUT_MS = 5000

/** Shows a training to its end; the exit code says how it ended. */
export async function followTask(
  connection: Connection,
  task: TaskSummaryFragment,
  { after, last, output = false, json }: FollowOptions,
): Promise<number> {
  const { client, terminal, signal, commandLine } = connection
  const { id: taskId, channelPrefix } = task
  const live = terminal.stdout.isTTY === true && !json
  const viewer = live ? await createLiveViewer(terminal) : lineViewer(terminal, json)
  let state = initialState(task)
  const request = { taskId, channelPrefix, after, last: last ?? (live ? REPLAY_FOR_CURVE : undefined) }
  const ended = new AbortController()
  const tell = (told: TaskSummaryFragment) => {
    state = afterTold(state, told)
    viewer.show(state)
  }
  const printing = output ? followOutput(connection, task, ended.signal, json, viewer) : undefined
  try {
    viewer.show(state)
    if (live) void followTold(connection, task, ended.signal, tell)
    const events = client.follow(request, {
      signal,
      onConnection: (change) => {
        state = afterConnectionChange(state, change)
        viewer.show(state)
      },
    })
    for await (const event of events) {
      state = afterEvent(state, event, Date.now())
      viewer.show(state, event)
    }
    await printing
    ended.abort()
    if (!json) await askOnce(connection, task, tell)
  } catch (error) {
    ended.abort()
    viewer.close()
    if (!signal.aborted) throw error
    const { stderr } = terminal
    writeLine(stderr, 'detached; the training goes on')
    const again = ['watch', taskId, '--prefix', channelPrefix, ...(live ? [] : ['--after', state.cursor])]
    writeLine(stderr, `  watch again: ${commandLine(...again)}`)
    writeLine(stderr, `  cancel:      ${commandLine('cancel', taskId, '--prefix', channelPrefix)}`)
    return EXIT.interrupted
  }
  viewer.close()
  if (!json) {
    const colors = hasColors(terminal.stdout, terminal.env)
    for (const line of endingLines(state, colors)) writeLine(terminal.stdout, line)
  }
  return exitCodeOf(state.task.status)
}

/** Past lines that a view with output begins with. */
const REPLAYED_LINES = 100

/** What the training prints, up to its end or that of the view. */
async function followOutput(
  { client, terminal, signal }: Connection,
  { id: taskId, channelPrefix }: TaskSummaryFragment,
  ended: AbortSignal,
  json: boolean,
  viewer: Viewer,
): Promise<void> {
  const print = linePrinter(terminal, json)
  const options = { signal: AbortSignal.any([signal, ended]) }
  try {
    const request = { taskId, channelPrefix, last: REPLAYED_LINES }
    for await (const line of client.followOutput(request, options)) viewer.print(() => print(line))
  } catch (error) {
    if (!options.signal.aborted) reportError(terminal, error)
  }
}

/** What the events do not tell: the time left, and times by the server's clock. The view does without where it fails. */
async function followTold(
  { client, signal }: Connection,
  { id, channelPrefix }: TaskSummaryFragment,
  ended: AbortSignal,
  tell: (told: TaskSummaryFragment) => void,
): Promise<void> {
  const request = { filter: { ids: [id], channelPrefix }, minIntervalMs: TOLD_INTERVAL_MS }
  const options = { signal: AbortSignal.any([signal, ended]) }
  try {
    for await (const { taskUpdates } of client.subscribe(TaskUpdatesDocument, request, options)) {
      if (!ended.aborted) tell(taskUpdates)
    }
  } catch {}
}

/** As `followTold`, once; how long the training took is left out where it fails. */
async function askOnce(
  { client, signal }: Connection,
  { id, channelPrefix }: TaskSummaryFragment,
  tell: (told: TaskSummaryFragment) => void,
): Promise<void> {
  const options = { signal: AbortSignal.any([signal, AbortSignal.timeout(ENDING_TIMEOUT_MS)]) }
  const found = await client.execute(TaskDocument, { id, channelPrefix }, options).catch(() => null)
  if (found?.task) tell(found.task)
}

/** Past events that a live view begins with, for its curve. */
const REPLAY_FOR_CURVE = 500

/** On a terminal, drawn in place; loaded only there, so that pipes start faster. */
async function createLiveViewer(terminal: Terminal): Promise<Viewer> {
  const { liveViewer } = await import('./live-viewer.ts')
  return liveViewer(terminal)
}
