import type { Random } from '../random.ts'

/**
 * Splits examples over clients with label skew: of each label's examples, the clients get shares drawn
 * from Dirichlet(alpha). A small alpha gives most of a label to one client, a large one splits evenly.
 * Returns example indices per client, each example once and at least one per client.
 */
export function dirichletPartition(
  labels: readonly number[],
  clients: number,
  alpha: number,
  random: Random,
): number[][] {
  const parts: number[][] = Array.from({ length: clients }, () => [])
  for (const label of new Set(labels)) {
    const shares = random.dirichlet(alpha, clients)
    for (const [index, ofExample] of labels.entries()) {
      if (ofExample === label) parts[random.choice(shares)]?.push(index)
    }
  }
  for (const part of parts) {
    // A client without data could not take part: it gets one example of the richest.
    if (part.length > 0) continue
    const richest = parts.reduce((most, other) => (other.length > most.length ? other : most))
    part.push(richest.pop() as number)
  }
  return parts
}
