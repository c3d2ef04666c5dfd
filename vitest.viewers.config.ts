import { defineConfig } from 'vitest/config'
import base from './vitest.config.ts'

/** Clients in Python, in a small environment of their own (test/python/viewers/provide.js). */
export default defineConfig({
  ...base,
  test: { ...base.test, include: ['test/python/viewers/*.test.ts'], exclude: [], testTimeout: 180_000 },
})
