/** node dist/trainers/tvae/sample.js <model.json> [--rows 5] [--seed 1]: prints rows drawn from a model as CSV. */
import { parseArgs } from 'node:util'
import { Random } from '../random.ts'
import { useWasmBackend } from '../tensorflow.ts'
import { loadModel } from './model-file.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rows: { type: 'string', default: '5' },
    seed: { type: 'string', default: '1' },
  },
})
const rows = Number(values.rows)
const seed = Number(values.seed)
const [file] = positionals
if (!file || !Number.isInteger(rows) || rows < 1 || !Number.isInteger(seed)) {
  process.stderr.write('usage: sample.js <model.json> [--rows 5] [--seed 1]\n')
  process.exit(2)
}

await useWasmBackend()
const { autoencoder } = await loadModel(file)
const sampled = autoencoder.sample(rows, new Random(seed))
const cells = sampled.map((row) =>
  Object.values(row).map((value) => (typeof value === 'number' ? value.toPrecision(5) : value)),
)
for (const line of [Object.keys(sampled[0] ?? {}), ...cells]) process.stdout.write(`${line.join()}\n`)
