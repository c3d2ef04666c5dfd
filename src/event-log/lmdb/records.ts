import { crc32 } from 'node:zlib'

/*
 * A value as it is on disk: a checksum of its key and its bytes, then the bytes. So neither a value that was altered nor
 * one that stands under another key is taken for the truth.
 */

const CHECKSUM_BYTES = 4

export function seal(key: Uint8Array, body: string | Uint8Array): Buffer {
  const length = typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength
  const record = Buffer.allocUnsafe(CHECKSUM_BYTES + length)
  if (typeof body === 'string') record.write(body, CHECKSUM_BYTES)
  else record.set(body, CHECKSUM_BYTES)
  record.writeUInt32LE(checksum(key, record.subarray(CHECKSUM_BYTES)))
  return record
}

/** The bytes of a record, not copied; null where they are not those that were sealed under this key. */
export function unseal(key: Uint8Array, record: Buffer): Buffer | null {
  if (record.byteLength < CHECKSUM_BYTES) return null
  const body = record.subarray(CHECKSUM_BYTES)
  return record.readUInt32LE() === checksum(key, body) ? body : null
}

const checksum = (key: Uint8Array, body: Uint8Array): number => crc32(body, crc32(key))

const PAGE_BYTES = 4096
/** Up to here several records share a page; a larger one has pages of its own. */
const MAX_INLINE_BYTES = 1900
const RECORD_OVERHEAD_BYTES = 40

/** About what a record of so many bytes takes on disk. */
export const diskBytes = (bytes: number): number =>
  bytes > MAX_INLINE_BYTES ? Math.ceil((bytes + 16) / PAGE_BYTES) * PAGE_BYTES : bytes + RECORD_OVERHEAD_BYTES
