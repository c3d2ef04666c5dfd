import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Server } from 'node:https'

/** Where the certificate (with its chain) and its private key are, both as PEM. */
export interface TlsPaths {
  readonly certFile: string
  readonly keyFile: string
}

export interface TlsFiles {
  readonly cert: Buffer
  readonly key: Buffer
}

/** Files that cannot be used; the message begins with the variable that names the file. */
export class TlsFilesError extends Error {
  override name = 'TlsFilesError'
}

/** How often it is looked whether the files are others. */
const LOOK_MS = 1000

/** @throws TlsFilesError */
export function readTlsFiles({ certFile, keyFile }: TlsPaths): TlsFiles {
  const [cert, key] = [read('EPOCHCAST_TLS_CERT', certFile), read('EPOCHCAST_TLS_KEY', keyFile)]
  const certificate = parsed('EPOCHCAST_TLS_CERT', certFile, 'a certificate', () => new X509Certificate(cert))
  const privateKey = parsed('EPOCHCAST_TLS_KEY', keyFile, 'a private key without a passphrase', () =>
    createPrivateKey(key),
  )
  if (!certificate.checkPrivateKey(privateKey))
    throw new TlsFilesError(`EPOCHCAST_TLS_KEY ${keyFile} is not the key of the certificate in ${certFile}`)
  return { cert, key }
}

function read(name: string, file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (cause) {
    throw new TlsFilesError(`${name} ${file} cannot be read: ${(cause as Error).message}`, { cause })
  }
}

function parsed<T>(name: string, file: string, expected: string, parse: () => T): T {
  try {
    return parse()
  } catch (cause) {
    // Not the library's words, which may be about the content.
    throw new TlsFilesError(`${name} ${file} has no PEM in it that can be used; expected ${expected}`, {
      cause,
    })
  }
}

/**
 * Has a server use what is in the files from then on whenever they change, for connections that come after that. What
 * cannot be used is told, once, and what was used before goes on: of two files that are replaced, one is always the first.
 *
 * @param used what the server was given
 * @returns what ends it
 */
export function reloadTlsFiles(
  server: Server,
  paths: TlsPaths,
  used: TlsFiles,
  { onReloaded, onFailed }: { onReloaded(validTo: string): void; onFailed(error: Error): void },
): () => void {
  let present = used
  let problem: string | null = null
  const look = () => {
    try {
      const found = readTlsFiles(paths)
      problem = null
      if (found.cert.equals(present.cert) && found.key.equals(present.key)) return
      server.setSecureContext(found)
      present = found
      onReloaded(new X509Certificate(found.cert).validTo)
    } catch (error) {
      const { message } = error as Error
      if (message !== problem) onFailed(error as Error)
      problem = message
    }
  }
  // By their content: a secret that is mounted is replaced by moving a link, of which a watch of the file hears nothing, and
  // a watch does not see what changed before its first look.
  const timer = setInterval(look, LOOK_MS).unref()
  return () => clearInterval(timer)
}
