import { createRequire } from 'node:module'
import { dirname, sep } from 'node:path'
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import * as tf from '@tensorflow/tfjs-core'
// Besides the layers, this registers the gradients of all kernels; tfjs-core's own Node build has none.
import '@tensorflow/tfjs-layers'

/**
 * Selects the WebAssembly backend: on one core the TVAE trains with it in about a third of the time of
 * the plain JavaScript backend (trainers/README.md has the numbers).
 */
export async function useWasmBackend(): Promise<void> {
  if (tf.getBackend() === 'wasm') return
  const require = createRequire(import.meta.url)
  setWasmPaths(dirname(require.resolve('@tensorflow/tfjs-backend-wasm')) + sep)
  if (!(await tf.setBackend('wasm'))) throw new Error('the TensorFlow.js WebAssembly backend did not start')
}
