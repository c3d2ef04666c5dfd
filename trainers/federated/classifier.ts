import * as tf from '@tensorflow/tfjs-core'
import * as layers from '@tensorflow/tfjs-layers'
import { type Random, seedOf } from '../random.ts'
import { conditions, type Examples, featureCount } from './condition-data.ts'

const hiddenUnits = 32

export type Classifier = layers.Sequential

/** features → 32 relu → logits of the conditions. */
export function createClassifier(seed: number): Classifier {
  const kernel = (layer: number) =>
    layers.initializers.glorotUniform({ seed: seedOf('classifier', layer, seed) })
  return layers.sequential({
    layers: [
      layers.layers.dense({
        inputShape: [featureCount],
        units: hiddenUnits,
        activation: 'relu',
        kernelInitializer: kernel(0),
      }),
      layers.layers.dense({ units: conditions.length, kernelInitializer: kernel(1) }),
    ],
  })
}

export interface Score {
  /** Mean cross-entropy, nats. */
  loss: number
  /** Share of examples whose most probable condition is the true one. */
  accuracy: number
}

/** Plain SGD over one client's examples, shuffled once an epoch; yields the batch's loss after every step. */
export function* trainLocally(
  classifier: Classifier,
  { x, y, count }: Examples,
  options: { epochs: number; batchSize: number; learningRate: number },
  random: Random,
): Generator<number> {
  const optimizer = tf.train.sgd(options.learningRate)
  const weights = classifier.trainableWeights.map((weight) => weight.read() as tf.Variable)
  try {
    for (let epoch = 0; epoch < options.epochs; epoch++) {
      const order = random.shuffle(Int32Array.from({ length: count }, (_, index) => index))
      for (let start = 0; start < count; start += options.batchSize) {
        yield tf.tidy(() => {
          const indices = tf.tensor1d(order.subarray(start, start + options.batchSize), 'int32')
          const batch = { x: tf.gather(x, indices), y: tf.gather(y, indices) }
          const { value, grads } = tf.variableGrads(() => crossEntropy(classifier, batch), weights)
          optimizer.applyGradients(grads)
          return value.dataSync()[0] as number
        })
      }
    }
  } finally {
    optimizer.dispose()
  }
}

export function evaluate(classifier: Classifier, examples: Examples): Score {
  return tf.tidy(() => {
    const predicted = tf.argMax(classifier.apply(examples.x) as tf.Tensor2D, 1)
    const correct = tf.equal(predicted, tf.argMax(examples.y, 1))
    return {
      loss: crossEntropy(classifier, examples).dataSync()[0] as number,
      accuracy: tf.mean(tf.cast(correct, 'float32')).dataSync()[0] as number,
    }
  })
}

function crossEntropy(classifier: Classifier, { x, y }: Pick<Examples, 'x' | 'y'>): tf.Scalar {
  const logits = classifier.apply(x) as tf.Tensor2D
  return tf.mean(tf.sub(tf.logSumExp(logits, 1), tf.sum(tf.mul(y, logits), 1)))
}
