import { defineConfig } from 'vitest/config'
import base from './vitest.config.ts'

/** The recipes in Python, with the real libraries, which are gigabytes (test/python/provide.js). */
export default defineConfig({
  ...base,
  test: {
    ...base.test,
    include: ['test/python/*.test.ts'],
    exclude: ['test/python/spool.test.ts'],
    // A training loads torch, twice where it has two ranks.
    testTimeout: 180_000,
  },
})
