import { open, readdir, rename, stat, unlink } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import type { Command } from 'commander'
import { Delivery } from '../typescript/reporter/delivery.ts'
import { Notices, wordsOf } from '../typescript/reporter/notices.ts'
import { Outbox } from '../typescript/reporter/outbox.ts'
import { fetchPost, ReportServer } from '../typescript/reporter/report-server.ts'
import { SPOOL_SUFFIX, SpoolFile, type SpoolHeader } from '../typescript/reporter/spool-file.ts'
import { EXIT } from './exit-codes.ts'
import { addExamples } from './options.ts'
import { printable } from './render/text.ts'
import { endpoint, reportError, type Session, UsageError } from './session.ts'
import { type Terminal, writeLine } from './terminal.ts'

const FILES = { open, unlink, rename }

export function addSyncCommand(program: Command, session: Session): void {
  const command = program
    .command('sync')
    .description(
      'send the reports that trainings left in a directory, each once: to the server that their file names, or to that of --url (EPOCHCAST_URL is not looked at)',
    )
    .argument('<directory>', 'what EPOCHCAST_SPOOL_DIR was; also of trainings in Python')
    .action(async (directory: string) => {
      const { terminal } = session
      const { url, token } = command.optsWithGlobals<{ url?: string; token?: string }>()
      try {
        const server = {
          url: url === undefined ? undefined : endpoint(url),
          token: token ?? terminal.env.EPOCHCAST_TOKEN,
        }
        const names = (await namesIn(directory)).filter((name) => name.endsWith(SPOOL_SUFFIX)).sort()
        let sent = 0
        for (const name of names) if (await sendFile(terminal, join(directory, name), name, server)) sent++
        writeLine(terminal.stdout, `${sent} of ${names.length} files sent`)
        session.exitCode = sent === names.length ? EXIT.success : EXIT.error
      } catch (error) {
        session.exitCode = reportError(terminal, error)
      }
    })
  addExamples(
    command,
    'epochcast sync /var/spool/epochcast',
    'epochcast --url https://host/graphql sync ./spool',
  )
}

/**
 * What the programs of a task have left in EPOCHCAST_SPOOL_DIR, where there is one: as far as it can be sent now.
 *
 * @param enough leaves what is still left where it is, once it is aborted
 */
export async function sendLeftOf(
  terminal: Terminal,
  taskId: string,
  server: { readonly url: string; readonly token: string | undefined },
  enough: AbortSignal,
): Promise<void> {
  const directory = terminal.env.EPOCHCAST_SPOOL_DIR
  if (!directory) return
  const names = await readdir(directory).catch(() => [])
  for (const name of names.filter((one) => one.endsWith(SPOOL_SUFFIX)).sort()) {
    if (enough.aborted) return
    const spool = await SpoolFile.open(FILES, join(directory, name)).catch(() => null)
    await spool?.close('keep')
    const isOurs = spool?.header.task?.taskId === taskId && !name.includes(`-${process.pid}-`)
    if (isOurs) await sendFile(terminal, join(directory, name), name, server, enough)
  }
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory)
  } catch (error) {
    throw new UsageError(`${directory} cannot be read: ${wordsOf(error)}`)
  }
}

/** Whether all of it is at the server; then the file is gone. */
async function sendFile(
  terminal: Terminal,
  path: string,
  name: string,
  { url, token }: { readonly url: string | undefined; readonly token: string | undefined },
  enough?: AbortSignal,
): Promise<boolean> {
  const tell = (text: string) => writeLine(terminal.stderr, printable(text))
  let spool: SpoolFile
  try {
    spool = await SpoolFile.open(FILES, path)
  } catch (error) {
    tell(wordsOf(error))
    return false
  }
  if (await isInUse(path, name, spool.header)) {
    tell(`${path}: its training is still running, and sends it by itself`)
    await spool.close('keep')
    return false
  }
  const before = spool.delivered
  const outbox = new Outbox(spool)
  const notices = new Notices((text) => tell(`${path}: ${text}`))
  const target = { url: url ?? spool.header.url, token, post: fetchPost(globalThis.fetch), gzip: null }
  const delivery = new Delivery(new ReportServer(target), outbox, notices, spool.header)
  const giveUp = () => delivery.giveUp()
  if (enough?.aborted) giveUp()
  enough?.addEventListener('abort', giveUp)
  const isSent = (await delivery.deliver()) && outbox.spoolError === null
  enough?.removeEventListener('abort', giveUp)
  await spool.close(isSent ? 'remove' : delivery.isOver ? 'aside' : 'keep')
  const more = isSent ? '' : `, not all (${problemOf(delivery, outbox, target.url)})`
  writeLine(terminal.stdout, printable(`${path}: ${outbox.delivered - before} reports sent${more}`))
  return isSent
}

function problemOf({ problem, isOver }: Delivery, { spoolError }: Outbox, url: string): string {
  if (spoolError !== null) return `the file: ${wordsOf(spoolError)}`
  return `${url}: ${problem ?? 'nobody waits for it any more'}${isOver ? '; the file is put aside as .refused' : ''}`
}

/** Longer than a training that lives leaves its file alone (`REPORTER_LIMITS.touchMs`). */
const UNTOUCHED_MS = 20_000

/**
 * Whether a training still writes it. There is no lock that all systems and languages have: the process is in the file's name.
 * In a container that may be another process by now, so a file that nobody touches any more is nobody's.
 */
async function isInUse(path: string, name: string, { host }: SpoolHeader): Promise<boolean> {
  const pid = Number(/-(\d+)-\w+\.\w+$/.exec(name)?.[1] ?? 0)
  const isHere = host === undefined || host === hostname()
  if (pid === process.pid || (isHere && !isAlive(pid))) return false
  // Trainings in Python do not touch it.
  return host === undefined || Date.now() - (await stat(path)).mtimeMs < UNTOUCHED_MS
}

function isAlive(pid: number): boolean {
  if (pid === 0) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
