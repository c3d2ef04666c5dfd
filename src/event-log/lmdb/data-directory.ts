import { accessSync, closeSync, constants, mkdirSync, openSync, statfsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DataDirectoryError } from './data-directory-error.ts'
import { checkFormat } from './format.ts'
import { lockFile } from './lock-file.ts'

/** File systems of other machines, by the type that statfs tells: shared memory and locks do not hold across them. */
const NETWORK_FILE_SYSTEMS: Readonly<Record<number, string>> = {
  26985: 'NFS',
  20859: 'SMB',
  4283649346: 'CIFS',
  4266872130: 'SMB',
  16914839: '9P',
  1397113167: 'AFS',
  1937076805: 'Coda',
  12805120: 'Ceph',
  198183888: 'Lustre',
  1196443219: 'GPFS',
  428016422: 'BeeGFS',
  1952539503: 'OCFS2',
  18225520: 'GFS2',
}

export interface DataDirectory {
  readonly path: string
  /** Lets another server have it. */
  release(): void
}

/**
 * Makes the directory this server's own, and creates it where it is missing.
 *
 * @throws DataDirectoryError
 */
export function claimDirectory(path: string, typeOf = fileSystemType): DataDirectory {
  create(path)
  const network = NETWORK_FILE_SYSTEMS[typeOf(path)]
  if (network) {
    throw new DataDirectoryError(
      `is ${JSON.stringify(path)}, which is on a network file system (${network}), where a crash could damage it; expected a directory on a disk of this machine, or REDIS_URL`,
    )
  }
  const lock = openSync(join(path, 'server.lock'), 'a+')
  try {
    const holder = lockFile(lock, join(path, 'server.lock'))
    if (holder !== null) {
      throw new DataDirectoryError(
        `is ${JSON.stringify(path)}, which another server holds (process ${holder}); stop it, or give each server a directory of its own; several servers that share their tasks need REDIS_URL`,
      )
    }
    checkFormat(path)
    return { path, release: () => closeSync(lock) }
  } catch (error) {
    closeSync(lock)
    throw error
  }
}

function create(path: string): void {
  try {
    mkdirSync(path, { recursive: true })
    if (!statSync(path).isDirectory()) throw Object.assign(new Error('not a directory'), { code: 'ENOTDIR' })
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException
    const found = PROBLEMS[code] ?? `cannot be used (${message})`
    throw new DataDirectoryError(
      `is ${JSON.stringify(path)}, which ${found}; expected a directory that this user may write to, or none for tasks that end with the server`,
      { cause: error },
    )
  }
}

const PROBLEMS: Readonly<Record<string, string>> = {
  EEXIST: 'is not a directory',
  ENOTDIR: 'is not a directory',
  EACCES: 'this user may not write to',
  EPERM: 'this user may not write to',
  EROFS: 'is on a file system that is read-only',
}

function fileSystemType(path: string): number {
  // It is signed where the system's own number is.
  return statfsSync(path).type >>> 0
}
