import { mergeConfig } from 'vitest/config'
import config from './vitest.config.ts'

/** The recipes in Python: their own command, because they need gigabytes of libraries (test/python/provide.js). */
const python = mergeConfig(config, {
  // A training loads torch, twice where it has two ranks.
  test: { testTimeout: 180_000 },
})
python.test.include = ['test/python/**/*.test.ts']
python.test.exclude = []
export default python
