import { type Config, ConfigError } from './config.ts'
import type { Tracing } from './tracing/tracing.ts'
import { VERSION } from './version.ts'

/**
 * The tracing that is configured; null where it is off.
 *
 * @throws ConfigError where its packages are not installed
 */
export async function tracingOf({ operation: { tracingEndpoint } }: Config): Promise<Tracing | null> {
  if (tracingEndpoint === null) return null
  try {
    const { openTelemetry } = await import('./tracing/open-telemetry.ts')
    return await openTelemetry({ endpoint: tracingEndpoint, version: VERSION })
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw cause
    const found = 'needs the packages of OpenTelemetry, which were not installed'
    throw new ConfigError(`EPOCHCAST_TRACING ${found}; expected npm install without --omit=optional`, {
      cause,
    })
  }
}
