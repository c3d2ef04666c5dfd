import type { TaskSummaryFragment } from '../typescript/index.ts'
import { EXIT, exitCodeOf } from './exit-codes.ts'
import { endingLines } from './render/ending.ts'
import { hasColors } from './render/styles.ts'
import type { Connection } from './session.ts'
import { type Terminal, writeLine } from './terminal.ts'
import { lineViewer, type Viewer } from './viewer.ts'
import { afterConnectionChange, afterEvent, initialState } from './watch-state.ts'

export interface FollowOptions {
  readonly after?: string | undefined
  readonly last?: number | undefined
  /** One event a line, as JSON. */
  readonly json: boolean
}

/** Shows a training to its end; the exit code says how it ended. */
export async function followTask(
  { client, terminal, signal, commandLine }: Connection,
  task: TaskSummaryFragment,
  { after, last, json }: FollowOptions,
): Promise<number> {
  const { id: taskId, channelPrefix } = task
  const live = terminal.stdout.isTTY === true && !json
  const viewer = live ? await createLiveViewer(terminal) : lineViewer(terminal, json)
  let state = initialState(task)
  const request = { taskId, channelPrefix, after, last: last ?? (live ? REPLAY_FOR_CURVE : undefined) }
  try {
    viewer.show(state)
    const events = client.follow(request, {
      signal,
      onConnection: (change) => {
        state = afterConnectionChange(state, change)
        viewer.show(state)
      },
    })
    for await (const event of events) {
      state = afterEvent(state, event)
      viewer.show(state, event)
    }
  } catch (error) {
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

/** Past events that a live view begins with, for its curve. */
const REPLAY_FOR_CURVE = 500

/** On a terminal, drawn in place; loaded only there, so that pipes start faster. */
async function createLiveViewer(terminal: Terminal): Promise<Viewer> {
  const { liveViewer } = await import('./live-viewer.ts')
  return liveViewer(terminal)
}
