/** Upper bounds in seconds: from what one turn of the event loop takes to what a person notices. */
export const LAG_BOUNDS = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10,
] as const

/** Counts of times by their size: numbers and nothing else, so that observing costs next to nothing. */
export class LagHistogram {
  /** How many were at most each bound and more than the one before; the last entry is of those beyond all of them. */
  readonly counts: number[] = Array<number>(LAG_BOUNDS.length + 1).fill(0)
  sumSeconds = 0

  observe(seconds: number): void {
    let at = 0
    while (at < LAG_BOUNDS.length && seconds > (LAG_BOUNDS[at] as number)) at++
    this.counts[at] = (this.counts[at] as number) + 1
    this.sumSeconds += seconds
  }
}
