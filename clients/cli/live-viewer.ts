import { createLogUpdate } from 'log-update'
import { liveView } from './render/live-view.ts'
import { hasColors } from './render/styles.ts'
import type { Terminal } from './terminal.ts'
import type { Viewer } from './viewer.ts'
import type { WatchState } from './watch-state.ts'

const REDRAW_MS = 100
const DEFAULT_WIDTH = 80

/** Redraws in place at a steady pace, however fast events come; what it drew last stays. */
export function liveViewer({ stdout, env }: Terminal): Viewer {
  const update = createLogUpdate(stdout)
  const colors = hasColors(stdout, env)
  let state: WatchState | undefined
  const draw = () => {
    if (!state) return
    // The last column stays free: some terminals wrap a line that fills it.
    const width = Math.max(10, (stdout.columns ?? DEFAULT_WIDTH) - 1)
    const now = Date.now() + state.clockAheadMs
    update(liveView(state, { width, colors, now }).join('\n'))
  }
  const timer = setInterval(draw, REDRAW_MS)
  return {
    show: (next) => {
      const isFirst = state === undefined
      state = next
      if (isFirst) draw()
    },
    // Above what is drawn, which is drawn again below.
    print: (write) => {
      update.clear()
      write()
      draw()
    },
    close: () => {
      clearInterval(timer)
      draw()
      update.done()
    },
  }
}
