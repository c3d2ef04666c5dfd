import * as tf from '@tensorflow/tfjs-core'
import * as layers from '@tensorflow/tfjs-layers'
import { type Random, seedOf } from '../random.ts'
import {
  type DecodedRow,
  drawRow,
  encodedWidth,
  groupSizes,
  type Row,
  type TableTransform,
} from './table-transform.ts'

export interface Architecture {
  latentDim: number
  /** Width of the two hidden layers of the encoder and of the decoder. */
  hiddenDim: number
}

/** Both in nats a row, averaged over the batch; their sum is the negative ELBO. */
export interface ElboTerms {
  /** −log p(x|z): Gaussian for α, categorical for the one-hot groups. Densities may exceed 1, so it may be < 0. */
  reconstruction: tf.Scalar
  /** KL(q(z|x) ‖ N(0, I)). */
  kl: tf.Scalar
}

const minLogStd = Math.log(0.01)

/**
 * TVAE (Xu et al. 2019, section 4.4, arXiv:1907.00503): a variational autoencoder over encoded rows.
 *
 *     encoder  x [batch, width] → relu → relu → μ, log σ² [batch, latentDim] each
 *     decoder  z [batch, latentDim] → relu → relu → α means (tanh), logits of every one-hot group
 *
 * plus one learned standard deviation per continuous column, as in the paper.
 */
export class VariationalAutoencoder {
  readonly #transform: TableTransform
  readonly #architecture: Architecture
  readonly #encoder: layers.Sequential
  readonly #decoder: layers.Sequential
  /** [1, continuous columns]. */
  readonly #logStd: tf.Variable

  constructor(transform: TableTransform, architecture: Architecture, seed: number) {
    const { latentDim, hiddenDim } = architecture
    const width = encodedWidth(transform)
    this.#transform = transform
    this.#architecture = architecture
    this.#encoder = network('encoder', [width, hiddenDim, hiddenDim, 2 * latentDim], seed)
    this.#decoder = network('decoder', [latentDim, hiddenDim, hiddenDim, width], seed)
    this.#logStd = tf.tidy(() => tf.variable(tf.fill([1, transform.continuous.length], Math.log(0.1))))
  }

  get trainable(): tf.Variable[] {
    const weights = [...this.#encoder.trainableWeights, ...this.#decoder.trainableWeights]
    return [...weights.map((weight) => weight.read() as tf.Variable), this.#logStd]
  }

  /** A one-sample estimate of the ELBO's terms. `x` is [batch, width], `noise` standard normal [batch, latentDim]. */
  elboTerms(x: tf.Tensor2D, noise: tf.Tensor2D): ElboTerms {
    const { latentDim } = this.#architecture
    const [mean, logVariance] = tf.split(this.#encoder.apply(x) as tf.Tensor2D, 2, 1) as [
      tf.Tensor2D,
      tf.Tensor2D,
    ]
    const z = tf.add(mean, tf.mul(tf.exp(tf.mul(logVariance, 0.5)), noise))
    const decoded = this.#decoder.apply(z) as tf.Tensor2D

    const alphas = this.#transform.continuous.length
    const target = tf.slice2d(x, [0, 0], [-1, alphas])
    const mean2 = tf.tanh(tf.slice2d(decoded, [0, 0], [-1, alphas]))
    const logStd = this.#boundedLogStd()
    const deviation = tf.div(tf.sub(target, mean2), tf.exp(logStd))
    const gaussian = tf.add(tf.mul(tf.square(deviation), 0.5), tf.add(logStd, 0.5 * Math.log(2 * Math.PI)))

    // Cross-entropy with one-hot targets: Σ log Σ exp(logits) over the groups, less the targets' logits.
    const logits = tf.slice2d(decoded, [0, alphas], [-1, -1])
    const oneHots = tf.slice2d(x, [0, alphas], [-1, -1])
    const partitions = tf.split(logits, groupSizes(this.#transform), 1).map((group) => tf.logSumExp(group, 1))
    const chosen = tf.sum(tf.mul(oneHots, logits), 1)
    const categorical = tf.sub(tf.addN(partitions), chosen)

    const divergence = tf.sub(tf.sub(tf.add(tf.square(mean), tf.exp(logVariance)), logVariance), 1)
    return {
      reconstruction: tf.mean(tf.add(tf.sum(gaussian, 1), categorical)),
      kl: tf.mul(tf.mean(divergence), latentDim / 2),
    }
  }

  /** Rows drawn from the model: z ~ N(0, I), then every column from the distribution the decoder gives. */
  sample(count: number, random: Random): Row[] {
    const [alphaStds, ...decoded] = tf.tidy(() => {
      const z = tf.randomNormal(
        [count, this.#architecture.latentDim],
        0,
        1,
        'float32',
        random.integer(2 ** 31),
      )
      const output = this.#decoder.apply(z) as tf.Tensor2D
      const sizes = groupSizes(this.#transform)
      const [alphas, ...groups] = tf.split(output, [this.#transform.continuous.length, ...sizes], 1)
      return [
        tf.exp(this.#boundedLogStd()).arraySync() as number[][],
        tf.tanh(alphas as tf.Tensor).arraySync() as number[][],
        ...groups.map((group) => tf.softmax(group).arraySync() as number[][]),
      ]
    })
    const [alphas = [], ...groups] = decoded
    return alphas.map((rowAlphas, index) => {
      const row: DecodedRow = { alphas: rowAlphas, probabilities: groups.map((group) => group[index] ?? []) }
      return drawRow(row, alphaStds?.[0] ?? [], this.#transform, random)
    })
  }

  /** In the order setWeights takes them: encoder, decoder, log standard deviations. */
  getWeights(): tf.Tensor[] {
    return [...this.#encoder.getWeights(), ...this.#decoder.getWeights(), this.#logStd]
  }

  setWeights(weights: tf.Tensor[]): void {
    const encoderWeights = this.#encoder.getWeights().length
    this.#encoder.setWeights(weights.slice(0, encoderWeights))
    this.#decoder.setWeights(weights.slice(encoderWeights, -1))
    const logStd = weights.at(-1)
    if (logStd) this.#logStd.assign(logStd)
  }

  dispose(): void {
    this.#encoder.dispose()
    this.#decoder.dispose()
    this.#logStd.dispose()
  }

  /** A column that is reproduced almost exactly would otherwise drive its density to infinity. */
  #boundedLogStd(): tf.Tensor {
    return tf.clipByValue(this.#logStd, minLogStd, 0)
  }
}

/** Dense layers of the given widths, relu between them, linear at the end. */
function network(name: string, widths: readonly number[], seed: number): layers.Sequential {
  const dense = widths.slice(1).map((units, index) =>
    layers.layers.dense({
      units,
      ...(index === 0 ? { inputShape: [widths[0] ?? 0] } : {}),
      activation: index === widths.length - 2 ? 'linear' : 'relu',
      kernelInitializer: layers.initializers.glorotUniform({ seed: seedOf(name, index, seed) }),
    }),
  )
  return layers.sequential({ layers: dense })
}
