import type { describeMachine } from './machine.ts'
import type { Options } from './options.ts'
import type { Line, ScenarioResults } from './results.ts'
import { markdownTable } from './table.ts'

const NOTES = '## Notes\n'

/** What was measured, where, and what it came to. */
export interface Run {
  readonly machine: ReturnType<typeof describeMachine>
  readonly options: Options
  readonly results: readonly ScenarioResults[]
  readonly lines: readonly Line[]
}

/**
 * RESULTS.md. What somebody wrote below the figures stays.
 *
 * @param before the file as it is
 */
export function report(before: string, { machine, options, results, lines }: Run): string {
  const notes = before.indexOf(NOTES)
  const { rounds } = options
  const scenarios = [...new Set(results.map(({ scenario }) => scenario))]
  return `# Results

Written by \`npm run bench -- --write\` on ${machine.date}; ${rounds} ${rounds === 1 ? 'round' : 'rounds'}, in which the candidates took turns.

| | |
|---|---|
| processor | ${machine.cpu}, ${machine.cores} cores |
| memory | ${machine.memoryGiB} GiB |
| system | ${machine.system} |
| Node | ${machine.node} |
| Redis | ${machine.redis} |
| pinned | ${machine.pinned} |

CPU is the measured process's own account, user and system. Ratios are the median of the ratios within a round;
absolute values drift from run to run, so read the ratios. Every delivery was checked.

${scenarios.map(({ name, about }) => `- **${name}**: ${about}`).join('\n')}

${markdownTable(lines)}${notes < 0 ? '' : `\n${before.slice(notes)}`}`
}
