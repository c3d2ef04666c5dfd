import type { LagHistogram } from '../delivery/lag-histogram.ts'
import type { EngineStatus } from '../event-log/store.ts'
import type { Parts } from './parts.ts'

/** A value for each label value; a number alone has no label. */
type Values = number | ReadonlyMap<string, number> | Readonly<Record<string, number>>

export interface Definition {
  readonly kind: 'counter' | 'gauge'
  readonly name: string
  readonly help: string
  readonly label?: string
  /** How the values of several workers become one; they are added up where it is left out. */
  readonly aggregator?: 'max' | 'min' | 'first'
  readonly read: (parts: Parts, engine: EngineStatus) => Values
}

export interface HistogramDefinition {
  readonly name: string
  readonly help: string
  readonly label: string
  readonly read: (parts: Parts) => Readonly<Record<string, LagHistogram>>
}
