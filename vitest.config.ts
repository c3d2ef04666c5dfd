import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  // The one copy of graphql that Node gives to every library; Vite would choose the package's other build.
  resolve: { alias: { graphql: fileURLToPath(import.meta.resolve('graphql')) } },
  test: {
    include: ['test/**/*.test.ts'],
    // Attacks and long runs take time and memory, Python needs gigabytes of libraries: they have commands of their own.
    exclude: ['test/attack/**', 'test/long/**', 'test/python/**'],
    setupFiles: ['test/support/seed.ts'],
    // Servers, browsers and trainings of the flow tests share few cores with everything else.
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // On two cores: tests wait for processes, disks and times more than they compute.
    maxWorkers: 3,
    // Files share what they import, which took a third of the time; none of them changes a module, and time is given back.
    isolate: false,
    // NODE_ENV=test makes Yoga ping its event streams every 300 ms; the tests run what users run.
    env: { NODE_ENV: 'production' },
  },
})
