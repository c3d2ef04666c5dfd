import type { Launcher } from './launcher.ts'

/** For runs that train elsewhere and only report: there is nothing to launch and nothing to end. */
export class ExternalLauncher implements Launcher {
  readonly name = 'external'
  readonly jobsOutliveServer = true

  async submit(): Promise<void> {}

  async stop(): Promise<void> {}

  async close(): Promise<void> {}
}
