import { defineConfig } from 'vitest/config'
import base from './vitest.config.ts'

const long = { ...base.test, exclude: [], testTimeout: 120_000 }

/**
 * What takes too long for every run: first what hostile clients do to a server, one file after the other, as each takes
 * what memory and time it can get and has others' waits measured; then long runs with faults, which wait more than they compute.
 */
export default defineConfig({
  ...base,
  test: {
    projects: [
      {
        ...base,
        test: {
          ...long,
          name: 'attack',
          include: ['test/attack/**/*.test.ts'],
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
      {
        ...base,
        test: {
          ...long,
          name: 'long',
          include: ['test/long/**/*.test.ts'],
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
})
