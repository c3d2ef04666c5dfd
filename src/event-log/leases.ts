/**
 * Names that one owner at a time holds. Servers take turns by them, and show by them that they live.
 *
 * Every method may reject with EpochcastError ENGINE_UNAVAILABLE; whether a lease was taken is then unknown.
 */
export interface Leases {
  /** Takes a name for a time, or keeps it: true for exactly one owner until its time has passed. */
  lease(name: string, owner: string, ttlMs: number): Promise<boolean>

  /** Whether anybody holds the name. */
  isLeased(name: string): Promise<boolean>
}
