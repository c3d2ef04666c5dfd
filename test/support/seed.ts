// Runs before every test file (vitest.config.ts). What is drawn at random is drawn from a seed, and a test that
// fails names it. The same draws again:
//
//   EPOCHCAST_TEST_SEED=123 npx vitest run test/transport/fan-out/soak.test.ts

const given = process.env.EPOCHCAST_TEST_SEED
if (given !== undefined && !/^-?\d+$/.test(given))
  throw new Error(`EPOCHCAST_TEST_SEED is "${given}"; expected a whole number`)

/** Whether an earlier run is repeated. */
export const isReplay = given !== undefined

/** Where a random test begins: the seed to replay, or another one at each run. */
export const testSeed = isReplay ? Number(given) >>> 0 : Math.floor(Math.random() * 2 ** 31)

/** Runs what draws from a seed, and names the seed if it fails. */
export async function withSeed<T>(seed: number, run: (seed: number) => Promise<T>): Promise<T> {
  try {
    return await run(seed)
  } catch (error) {
    if (error instanceof Error) error.message = `EPOCHCAST_TEST_SEED=${seed}: ${error.message}`
    throw error
  }
}

// fast-check names its seed by itself. It is loaded only where it has something to be told.
if (isReplay) {
  const { default: fc } = await import('fast-check')
  fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(given) })
}
