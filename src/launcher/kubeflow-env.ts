import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Submission } from './launcher.ts'

/** For a server without authentication: the protocol wants a token, whatever it is. */
const NO_TOKEN = 'none'

/**
 * What switches on a trainer's reporting by the Kubeflow Trainer's protocol: the address of its task, and a file with its
 * token, which only this user can read.
 */
export class KubeflowEnv {
  readonly #folder = mkdtempSync(join(tmpdir(), 'epochcast-token-'))
  readonly variables: Readonly<Record<string, string>>

  /** @param reportUrl the GraphQL endpoint */
  constructor(
    { key: { id, channelPrefix }, reportToken }: Pick<Submission, 'key' | 'reportToken'>,
    reportUrl: string,
  ) {
    const file = join(this.#folder, 'token')
    writeFileSync(file, reportToken ?? NO_TOKEN, { mode: 0o600 })
    this.variables = {
      KUBEFLOW_TRAINER_SERVER_URL: String(new URL(`/kubeflow/${channelPrefix}/${id}`, reportUrl)),
      KUBEFLOW_TRAINER_SERVER_TOKEN: file,
    }
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
