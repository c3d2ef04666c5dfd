import type { z } from 'zod'
import { seconds, whole } from './setting.ts'

/** What is taken and kept of what trainers print, and of the machines that they run on. */
export interface OutputConfig {
  /** Newest lines, and bytes, that are kept of one task. */
  readonly maxLines: number
  readonly maxBytes: number
  /** Lines of one task that are taken in a second, of 256 bytes on average. */
  readonly linesPerSecond: number
  /** Silence after the end of a task by which its output counts as complete. */
  readonly quietMs: number
  /** Time between two looks at the machine of a local trainer; null for none. */
  readonly systemMetricsMs: number | null
}

/** Names, defaults and bounds. */
export const outputSettings = {
  EPOCHCAST_OUTPUT_LINES: whole(10_000, 100, 10_000_000),
  EPOCHCAST_OUTPUT_BYTES: whole(4 * 1024 ** 2, 262_144, 2 ** 30),
  EPOCHCAST_OUTPUT_LINES_PER_SECOND: whole(1000, 10, 1_000_000),
  EPOCHCAST_OUTPUT_QUIET_SECONDS: seconds(2, 0.1, 3600),
  EPOCHCAST_SYSTEM_METRICS_SECONDS: seconds(10, 0, 3600).transform((ms) => ms || null),
}

type Found = { readonly [Name in keyof typeof outputSettings]: z.infer<(typeof outputSettings)[Name]> }

export const outputConfig = (found: Found): OutputConfig => ({
  maxLines: found.EPOCHCAST_OUTPUT_LINES,
  maxBytes: found.EPOCHCAST_OUTPUT_BYTES,
  linesPerSecond: found.EPOCHCAST_OUTPUT_LINES_PER_SECOND,
  quietMs: found.EPOCHCAST_OUTPUT_QUIET_SECONDS,
  systemMetricsMs: found.EPOCHCAST_SYSTEM_METRICS_SECONDS,
})
