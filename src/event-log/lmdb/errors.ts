import { statfsSync } from 'node:fs'
import { EpochcastError } from '../../task/errors.ts'

const RETRY_AFTER_MS = 1000
/** Below this a file system is as good as full: LMDB reports its short writes as EIO. */
const FULL_BELOW_BYTES = 1_048_576
const CODES_OF_FULL: Readonly<Record<string, true>> = { 28: true, 122: true, 27: true }
const MDB_MAP_FULL = -30792

/** What the library says of a commit that failed; its reason comes in a promise of its own. */
interface CommitFailure extends Error {
  readonly commitError?: Promise<never>
}

/** Nothing of the commit was applied: LMDB throws away what it wrote of it. */
export async function commitError(cause: unknown, directory: string, bytes: number): Promise<EpochcastError> {
  const reason = await reasonOf(cause)
  const { code, message } = reason as Error & { code?: number }
  const isFull =
    CODES_OF_FULL[`${code}`] || code === MDB_MAP_FULL || freeBytes(directory) < FULL_BELOW_BYTES + bytes
  const details = { retryAfterMs: RETRY_AFTER_MS }
  if (isFull) {
    return new EpochcastError(
      'STORE_FULL',
      `the disk of ${directory} is full (${message}); nothing was applied, try again when there is room`,
      { cause: reason, details },
    )
  }
  return new EpochcastError(
    'ENGINE_UNAVAILABLE',
    `the disk of ${directory} failed (${message}); nothing is known to be applied, try again`,
    { cause: reason, details },
  )
}

/** @throws EpochcastError ENGINE_UNAVAILABLE where the library fails; whatever else `use` throws */
export async function tellingDiskErrors<T>(directory: string, use: () => T | Promise<T>): Promise<T> {
  try {
    return await use()
  } catch (cause) {
    const { code, message } = cause as Error & { code?: unknown }
    if (cause instanceof EpochcastError || typeof code !== 'number') throw cause
    const words = isBroken(cause) ? 'start the server again when it works' : 'try again'
    const text = `the disk of ${directory} failed (${message}); ${words}`
    throw new EpochcastError('ENGINE_UNAVAILABLE', text, { cause, details: { retryAfterMs: RETRY_AFTER_MS } })
  }
}

/** Whether the library refuses all until it is opened again: it could not write a meta page. */
export const isBroken = (error: unknown): boolean => String((error as Error).message).includes('MDB_PANIC')

async function reasonOf(cause: unknown): Promise<Error> {
  try {
    await (cause as CommitFailure).commitError
  } catch (reason) {
    return reason as Error
  }
  return cause as Error
}

function freeBytes(directory: string): number {
  try {
    const { bavail, bsize } = statfsSync(directory)
    return bavail * bsize
  } catch {
    return Number.POSITIVE_INFINITY
  }
}
