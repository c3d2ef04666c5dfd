import type { ClientGauges } from './transport/clients.ts'

/** What is open at present. */
export interface Gauges extends ClientGauges {
  /** The longest time that something has held the event loop; the one that stays. */
  readonly eventLoopHeldMs: number
  readonly sockets: number
  /** Requests under way, event streams among them. */
  readonly requests: number
  /** Groups of subscribers for which an event is encoded once. */
  readonly groups: number
  readonly feeds: number
  /** Bytes of the newest events of watched tasks. */
  readonly ringBytes: number
  readonly updateSubscribers: number
  readonly watches: number
  readonly trainers: number
}
