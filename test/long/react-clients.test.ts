import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, it } from 'vitest'
import { bundlePage } from '../clients/support/page.ts'
import type { ClientName } from '../clients/support/react-page.ts'
import { loseNothing } from '../clients/support/react-view.ts'
import { launchBrowser } from '../support/browser.ts'

let script = ''
let browser: Browser
beforeAll(async () => {
  script = await bundlePage('react-page.ts')
  browser = await launchBrowser()
})
afterAll(() => browser.close())

it.each<ClientName>(['epochcast', 'resuming', 'graphql-ws', 'Apollo Client', 'urql'])(
  'hooks over client %s lose nothing where their connection is cut, and say so',
  (client) => loseNothing(browser, script, client),
)
