import { defineConfig } from 'vitest/config'
import base from './vitest.config.ts'

/** What is tested in Python without a framework: clients in a small environment of their own (test/python/viewers/provide.js). */
export default defineConfig({
  ...base,
  test: {
    ...base.test,
    include: ['test/python/viewers/*.test.ts', 'test/python/spool.test.ts'],
    exclude: [],
    testTimeout: 180_000,
  },
})
