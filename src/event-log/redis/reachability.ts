import type { Logger } from 'pino'
import type { EpochcastError } from '../../task/errors.ts'

/** Time in which the same refusal is told once. */
const TOLD_AGAIN_MS = 60_000

/** Tells once that Redis is away and once that it is back, however many tries lie between; and why it refuses calls. */
export function reachability(logger: Logger) {
  let isAway = false
  /** By what clients are told, of which there are few. */
  const toldAt = new Map<string, number>()
  return {
    onLost: ({ message }: Error) => {
      if (!isAway) logger.warn(`Redis is out of reach (${message}); trying again until it is back`)
      isAway = true
    },
    onReady: () => {
      if (isAway) logger.info('Redis is back')
      isAway = false
    },
    onRefused: ({ message, cause }: EpochcastError) => {
      const now = performance.now()
      const why = `Redis does not serve: ${cause instanceof Error ? cause.message : message}`
      // Why it is away has been told.
      if (isAway || now - (toldAt.get(message) ?? Number.NEGATIVE_INFINITY) < TOLD_AGAIN_MS)
        return logger.debug(why)
      toldAt.set(message, now)
      logger.warn(why)
    },
  }
}
