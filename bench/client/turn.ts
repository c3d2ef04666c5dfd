import { REPORT_CONNECTIONS, type Reporter } from '../candidates/reporters.ts'
import type { Audience } from './audience.ts'
import type { WatchedTask } from './watched-task.ts'

/**
 * Each of the tasks gets one event, as many of them under way at a time as there are connections; resolves once everybody has theirs.
 *
 * @param audience whose subscribers share these tasks evenly
 */
export function everyTaskOnce(audience: Audience, tasks: readonly WatchedTask[], reporter: Reporter) {
  return audience.expect(audience.size, async () => {
    const left = [...tasks]
    const reportOneByOne = async () => {
      for (let task = left.pop(); task; task = left.pop()) {
        await reporter.report(task, 1)
        task.forgetUpTo(task.reported - 2)
      }
    }
    await Promise.all(Array.from({ length: REPORT_CONNECTIONS }, reportOneByOne))
  })
}
