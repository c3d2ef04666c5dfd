// Preloaded into Epochcast's server where it has a data directory: lets the probe tell how many calls a commit served.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Committer } from '../src/event-log/lmdb/committer.ts'
import type { Commits } from './probe.ts'

// That of the build that is measured, whichever it is.
const file = join(process.argv[1] ?? '', '../event-log/lmdb/committer.js')
const measured: { Committer: typeof Committer } = await import(pathToFileURL(file).href)

const { commit } = measured.Committer.prototype
measured.Committer.prototype.commit = function (writes) {
  const told = globalThis as { epochcastCommits?: Commits }
  told.epochcastCommits = this.counts
  return commit.call(this, writes)
}
