import { InvalidArgumentError } from 'commander'
import type { TaskOrder } from '../typescript/index.ts'

const ORDERS = {
  newest: 'CREATED_DESC',
  oldest: 'CREATED_ASC',
  updated: 'UPDATED_DESC',
} satisfies Record<string, TaskOrder>

export const ORDER_NAMES = Object.keys(ORDERS)

export function taskOrder(text: string): TaskOrder {
  const order = Object.hasOwn(ORDERS, text) ? ORDERS[text as keyof typeof ORDERS] : undefined
  if (order) return order
  throw new InvalidArgumentError(`Expected one of ${ORDER_NAMES.join(', ')}.`)
}

const UNIT_MS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** A time, given as itself or as how long ago it was: `2026-11-21`, `90m`, `7d`. */
export function since(text: string): string {
  const [, count, unit] = /^(\d{1,9})([smhd])$/.exec(text) ?? []
  const time = count ? Date.now() - Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS] : timeOf(text)
  const date = new Date(time)
  if (!Number.isNaN(date.getTime())) return date.toISOString()
  throw new InvalidArgumentError('Expected a time such as 90m, 12h, 7d or 2026-11-21T10:30:00Z.')
}

/** Date.parse takes 5 for a month, and 30 February for a day in March. */
function timeOf(text: string): number {
  const [day] = /^\d{4}-\d\d-\d\d(?=$|[Tt ])/.exec(text) ?? []
  const midnight = day === undefined ? Number.NaN : Date.parse(`${day}T00:00:00Z`)
  const isDay = !Number.isNaN(midnight) && new Date(midnight).toISOString().slice(0, 10) === day
  return isDay ? Date.parse(text) : Number.NaN
}
