// Preloaded into Epochcast's server as "epochcast without curves": nothing is folded, and the log is trimmed all the same.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { CurveFolder } from '../src/event-log/curve-folder.ts'

/** As many events wait for a fold. */
const FOLDED_TOGETHER = 2048

// That of the build that is measured, whichever it is.
const file = join(process.argv[1] ?? '', '../event-log/curve-folder.js')
const measured: { CurveFolder: typeof CurveFolder } = await import(pathToFileURL(file).href)

measured.CurveFolder.prototype.prepare = (_key, { top, folded }, events) => {
  const through = top.offset + events.length
  return through - folded >= FOLDED_TOGETHER ? { through, index: '', put: [], drop: [] } : null
}
