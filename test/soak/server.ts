import { readFileSync } from 'node:fs'
import { ServerProcess } from '../processes/server-process.ts'

/** A server of the run, whose memory is watched. */
export class Server extends ServerProcess {
  /** Highest resident set of any of its processes, in bytes; null where the system does not tell. */
  maxRssBytes: number | null = null

  measure(): void {
    const bytes = this.pid === undefined ? null : peakRss(this.pid)
    if (bytes !== null) this.maxRssBytes = Math.max(bytes, this.maxRssBytes ?? 0)
  }
}

function peakRss(pid: number): number | null {
  try {
    const [, kilobytes] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return kilobytes === undefined ? null : Number(kilobytes) * 1024
  } catch {
    return null
  }
}
