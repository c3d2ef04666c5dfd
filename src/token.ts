import { type Command, InvalidArgumentError, Option } from 'commander'
import { addExamples } from '../clients/cli/options.ts'
import { type Session, writeError } from '../clients/cli/session.ts'
import { writeLine } from '../clients/cli/terminal.ts'

const FAILED = 1

interface TokenOptions {
  readonly subject: string
  readonly scope: string
  readonly task?: readonly string[]
  readonly channelPrefix?: readonly string[]
  readonly label?: readonly (readonly [string, string])[]
  readonly expires: number
}

/** `epochcast token`: signs a token with the server's secret, for development and for scripts. */
export function addTokenCommand(program: Command, session: Session): void {
  const command = program
    .command('token')
    .description('sign a token with EPOCHCAST_JWT_SECRET, and print it')
    .option('--subject <name>', 'whom it is for', 'developer')
    .option(
      '--scope <scopes>',
      'viewer, trainer or operator, or scopes such as "tasks:read tasks:cancel"',
      'viewer',
    )
    .option('--task <id>', 'only this task (may be repeated)', several)
    .option('--channel-prefix <prefix>', 'only tasks of this prefix (may be repeated)', several)
    .option('--label <name=value>', 'only tasks with this label (may be repeated)', severalLabels)
    .addOption(
      new Option('--expires <time>', 'after 90s, 15m, 12h or 30d')
        .argParser(timeInSeconds)
        .default(12 * 3600, '12h'),
    )
    .action(async ({ expires, ...options }: TokenOptions) => {
      const [{ ConfigError, readConfig }, { developmentToken }] = await Promise.all([
        import('./config.ts'),
        import('./auth/development-token.ts'),
      ])
      try {
        const token = await developmentToken(readConfig({ EPOCHCAST_ALLOW_ANONYMOUS: '0' }).auth, {
          subject: options.subject,
          scope: options.scope,
          taskIds: options.task ?? null,
          channelPrefixes: options.channelPrefix ?? null,
          labels: options.label ?? null,
          seconds: expires,
        })
        writeLine(session.terminal.stdout, token)
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error
        for (const problem of error.problems) writeError(session.terminal, 'CONFIG', problem)
        session.exitCode = FAILED
      }
    })
  addExamples(
    command,
    'EPOCHCAST_JWT_SECRET=… epochcast token --subject alice --scope operator --expires 8h',
    'export EPOCHCAST_TOKEN=$(epochcast token --scope viewer --label team=vision)',
  )
}

const several = (value: string, before?: readonly string[]): readonly string[] => [...(before ?? []), value]

function severalLabels(
  text: string,
  before?: readonly (readonly [string, string])[],
): readonly (readonly [string, string])[] {
  const [, name, value] = /^([^=]+)=(.*)$/s.exec(text) ?? []
  if (name === undefined || value === undefined) throw new InvalidArgumentError('Expected name=value.')
  return [...(before ?? []), [name, value]]
}

const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400 } as const
const MAX_SECONDS = 10 * 365 * 86_400

function timeInSeconds(text: string): number {
  const [, count, unit] = /^(\d{1,9})([smhd])$/.exec(text) ?? []
  const seconds = Number(count) * (SECONDS[unit as keyof typeof SECONDS] ?? Number.NaN)
  if (seconds >= 1 && seconds <= MAX_SECONDS) return seconds
  throw new InvalidArgumentError('Expected a time such as 90s, 15m, 12h or 30d, up to ten years.')
}
