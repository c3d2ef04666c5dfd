import { EpochcastError, quote } from '../task/errors.ts'
import type { Json } from '../task/task.ts'

export interface GivenParams {
  readonly machineId: string | null
  readonly epochs: number | null
  readonly params: Readonly<Record<string, Json>>
}

/**
 * `machine_id` and `epochs` are parameters like any other; they may be given once, in either place.
 *
 * @throws EpochcastError BAD_INPUT where the two places differ
 */
export function paramsOf({ params, machineId, epochs }: GivenParams): Record<string, Json> {
  const merged: Record<string, Json> = { ...params }
  for (const [name, field, value] of [
    ['machine_id', 'machineId', machineId],
    ['epochs', 'epochs', epochs],
  ] as const) {
    if (value === null) continue
    if (Object.hasOwn(merged, name) && merged[name] !== value) {
      throw new EpochcastError(
        'BAD_INPUT',
        `${field} is ${quote(value)} and params.${name} is ${quote(merged[name])}; expected one of them, or the same value`,
      )
    }
    merged[name] = value
  }
  return merged
}
