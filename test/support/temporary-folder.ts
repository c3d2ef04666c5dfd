import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/** A folder that is gone when the test is over. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'epochcast-test-'))
  // The last that was asked for comes first: whatever uses the folder has closed it by then.
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
