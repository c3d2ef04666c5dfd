import { expect, it } from 'vitest'
import { tellingDiskErrors } from '../../src/event-log/lmdb/errors.ts'
import { EpochcastError } from '../../src/task/errors.ts'

// As the library throws them; a disk that fails at the right moment is found by `soak -- --power-cuts` only.
const failed = (message: string, code: unknown) => Object.assign(new Error(message), { code })

it('what the library fails with is told as the disk that is out of reach, and anything else is let through', async () => {
  const told = (error: unknown) => tellingDiskErrors('some/where', () => Promise.reject(error))
  await expect(told(failed('Input/output error', 5))).rejects.toMatchObject({
    code: 'ENGINE_UNAVAILABLE',
    message: 'the disk of some/where failed (Input/output error); try again',
    details: { retryAfterMs: 1000 },
  })
  await expect(told(failed('Invalid argument: MDB_PANIC: Update of meta page failed', 22))).rejects.toThrow(
    /; start the server again when it works$/,
  )
  for (const other of [new TypeError('x'), failed('x', 'ENOENT'), new EpochcastError('DATA_DAMAGED', 'x')])
    await expect(told(other)).rejects.toBe(other)
  await expect(tellingDiskErrors('some/where', () => 1)).resolves.toBe(1)
})
