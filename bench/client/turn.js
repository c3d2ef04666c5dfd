// @ts-check
import { REPORT_CONNECTIONS } from '../candidates/reporters.js'

/**
 * Each of the tasks gets one event, as many of them under way at a time as there are connections; resolves once everybody has theirs.
 *
 * @param {import('./audience.js').Audience} audience whose subscribers share these tasks evenly
 * @param {readonly import('./watched-task.js').WatchedTask[]} tasks
 * @param {import('../candidates/reporters.js').Reporter} reporter
 */
export function everyTaskOnce(audience, tasks, reporter) {
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
