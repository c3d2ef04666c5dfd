import { execFileSync } from 'node:child_process'
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { createFolder, removeFolder } from '../processes/lifetime.ts'

export interface CertificateFiles {
  readonly cert: string
  readonly key: string
}

/** A certificate of this machine that signs itself, made by openssl. */
export function selfSigned(commonName: string): CertificateFiles {
  const folder = createFolder()
  onTestFinished(() => removeFolder(folder))
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  const subject = ['-subj', `/CN=${commonName}`, '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
  const made = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  execFileSync('openssl', ['req', '-x509', ...made, ...subject, '-out', cert, '-keyout', key], {
    stdio: 'ignore',
  })
  return { cert, key }
}

export function replaceWith(files: CertificateFiles, by: CertificateFiles): void {
  copyFileSync(by.cert, files.cert)
  copyFileSync(by.key, files.key)
}
