import type { TrainingProgressEvent } from '../typescript/index.ts'
import { eventLine } from './render/event-line.ts'
import { lostText } from './render/live-view.ts'
import { jsonLine } from './render/text.ts'
import { type Terminal, writeLine } from './terminal.ts'
import type { WatchState } from './watch-state.ts'

/** Where a followed training is shown. */
export interface Viewer {
  show(state: WatchState, event?: TrainingProgressEvent): void
  /** A line beside what is shown. */
  print(write: () => void): void
  close(): void
}

/** One event a line, on stdout; the connection's troubles go to stderr. */
export function lineViewer({ stdout, stderr }: Terminal, json: boolean): Viewer {
  let lost: WatchState['lost'] = null
  return {
    show: (state, event) => {
      if (event) writeLine(stdout, json ? jsonLine(event) : eventLine(event))
      if (state.lost !== lost) writeLine(stderr, state.lost ? lostText(state.lost) : 'connected again')
      lost = state.lost
    },
    print: (write) => write(),
    close: () => {},
  }
}
