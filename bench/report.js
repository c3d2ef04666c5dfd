// @ts-check
import { markdownTable } from './table.js'

const NOTES = '## Notes\n'

/**
 * RESULTS.md. What somebody wrote below the figures stays.
 *
 * @param {string} before the file as it is
 * @param {object} run
 * @param {ReturnType<typeof import('./machine.js').describeMachine>} run.machine
 * @param {import('./options.js').Options} run.options
 * @param {readonly import('./results.js').ScenarioResults[]} run.results
 * @param {readonly import('./results.js').Line[]} run.lines
 */
export function report(before, { machine, options, results, lines }) {
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
