import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/** A path for a data directory; gone when the test is over. */
export function dataDirectory(): string {
  const folder = mkdtempSync(join(tmpdir(), 'epochcast-data-'))
  // The last that was asked for comes first: whatever uses the directory has closed it by then.
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'data')
}
