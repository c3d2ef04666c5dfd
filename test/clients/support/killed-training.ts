import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runProgram } from '../../support/program.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { until } from '../../support/until.ts'
import { startGateway } from './gateway.ts'

const CLIENT = join(import.meta.dirname, '../../../dist/clients/typescript/index.js')

const SCRIPT = `import { createReporter } from ${JSON.stringify(CLIENT)}
const reporter = createReporter({ run: { name: 'killed' } })
for (let step = 1; step <= 100; step++) {
  reporter.log({ loss: 1 / step, 'größe': 1 }, { step })
  if (step % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 60))
}
setInterval(() => {}, 1000)`

/** A training of 100 steps that SIGKILL ends: its first calls arrived, the replies of the others were lost. */
export async function killedTraining(url: string, directory: string): Promise<void> {
  const script = join(temporaryFolder(), 'train.mjs')
  writeFileSync(script, SCRIPT)
  const gateway = await startGateway(url)
  const env = { PATH: process.env.PATH, EPOCHCAST_URL: gateway.url, EPOCHCAST_SPOOL_DIR: directory }
  const { child } = runProgram(process.execPath, [script], { env })
  await until('its first reports', () => gateway.count >= 2)
  gateway.behave(() => {})
  const spooled = () => readdirSync(directory).map((name) => readFileSync(join(directory, name), 'utf8'))
  await until('all of it in the spool', () => spooled().some((text) => /"step":100\b.*\n/.test(text)))
  child.kill('SIGKILL')
  await until('its end', () => child.signalCode)
}
