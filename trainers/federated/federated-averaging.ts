import * as tf from '@tensorflow/tfjs-core'

/** What a client sends back: its weights after local training, and how many examples they come from. */
export interface ClientUpdate {
  weights: tf.Tensor[]
  examples: number
}

/** FedAvg's aggregation: each weight is the clients' mean, weighted by their numbers of examples. */
export function averageWeights(updates: readonly ClientUpdate[]): tf.Tensor[] {
  const total = updates.reduce((sum, { examples }) => sum + examples, 0)
  const [first] = updates
  return (first?.weights ?? []).map((_, index) =>
    tf.tidy(() =>
      tf.addN(updates.map(({ weights, examples }) => tf.mul(weights[index] as tf.Tensor, examples / total))),
    ),
  )
}
