import { expect, it } from 'vitest'
import { openBrowser } from '../support/browser.ts'
import { progressReports, report, startExternal } from '../support/graphql.ts'
import { testServer } from '../support/server.ts'
import { range } from '../support/tasks.ts'
import { until } from '../support/until.ts'
import { bundlePage, openPage } from './support/page.ts'

it('a worker of a page has all of the client, and leaves nothing at the server where it breaks off', async () => {
  const { url, gauges } = await testServer()
  const taskId = await startExternal(url)
  await report(url, taskId, ...progressReports(1, 50))
  const body = `<script>
    const look = (script, data) => new Promise((resolve, reject) => {
      const worker = new Worker(URL.createObjectURL(new Blob([script])))
      worker.onmessage = ({ data }) => resolve(data)
      worker.onerror = ({ message }) => reject(new Error(message))
      worker.postMessage(data)
    })
  </script>`
  const page = await openPage(await openBrowser(), url, '', body)
  const call = JSON.stringify([await bundlePage('worker.ts'), { url, taskId }])
  expect(await page.evaluate(`look(...${call})`)).toEqual({ steps: range(1, 10), points: 50, results: 3 })
  await until('nobody at the server', () => gauges().subscriptions + gauges().sockets === 0)
})
