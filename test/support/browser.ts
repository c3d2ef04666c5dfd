import { type Browser, chromium } from 'playwright-core'
import { onTestFinished } from 'vitest'
import { findChromium } from '../provide.js'

/** A real browser, headless and offline but for this machine; closed when the test is over. */
export async function openBrowser(): Promise<Browser> {
  const browser = await launchBrowser()
  onTestFinished(() => browser.close())
  return browser
}

/** For the tests of a file to share, which close it. */
export async function launchBrowser(): Promise<Browser> {
  const executablePath = findChromium()
  if (!executablePath) throw new Error('no Chromium found; run the tests with npm test, or set CHROMIUM_PATH')
  return chromium.launch({
    executablePath,
    // As root, Chromium has no sandbox; the rest keeps it from calling home.
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}
