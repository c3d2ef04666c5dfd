import { defineConfig } from 'vitest/config'
import base from './vitest.config.ts'

/**
 * What takes too long for every run: what hostile clients do to a server, and long runs with faults. One file after the
 * other, as each takes what memory and time it can get.
 */
export default defineConfig({
  ...base,
  test: {
    ...base.test,
    include: ['test/attack/**/*.test.ts', 'test/long/**/*.test.ts'],
    exclude: [],
    testTimeout: 120_000,
    maxWorkers: 1,
  },
})
