import { closeSync, fsyncSync, openSync } from 'node:fs'

/** Sees that a file, or the names in a directory, are on disk. */
export function flushFile(path: string): void {
  const file = openSync(path, 'r')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}
