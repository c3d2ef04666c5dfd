import type { Line } from './results.ts'

const COLUMNS: [string, (line: Line) => string, 'left' | 'right'][] = [
  ['scenario', (line) => `${line.scenario} (${line.engine})`, 'left'],
  ['what', (line) => line.label, 'left'],
  ['candidate', (line) => line.candidate, 'left'],
  ['median', (line) => line.median && `${line.median} ${line.unit}`, 'right'],
  ['range', (line) => line.range, 'right'],
  ['of bare ws', (line) => line.ofBare, 'right'],
  ['of Yoga', (line) => line.ofYoga, 'right'],
  ['target', (line) => line.target, 'left'],
  ['', (line) => line.verdict, 'left'],
]

/** For a terminal. */
export function textTable(lines: readonly Line[]) {
  const rows = withoutRepetition(lines)
  const widths = COLUMNS.map(([title], i) =>
    Math.max(title.length, ...rows.map((row) => (row[i] ?? '').length)),
  )
  const print = (cells: readonly string[]) =>
    cells
      .map((cell, i) =>
        COLUMNS[i]?.[2] === 'right' ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0),
      )
      .join('  ')
      .trimEnd()
  const titles = COLUMNS.map(([title]) => title)
  return `${[titles, widths.map((width) => '-'.repeat(width)), ...rows].map(print).join('\n')}\n`
}

export function markdownTable(lines: readonly Line[]) {
  const print = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const titles = COLUMNS.map(([title]) => title)
  const rules = COLUMNS.map(([, , align]) => (align === 'right' ? '---:' : '---'))
  return `${[titles, rules, ...withoutRepetition(lines)].map(print).join('\n')}\n`
}

/** What is the same as above is left out, from the left. */
function withoutRepetition(lines: readonly Line[]) {
  let above = ['', '']
  return lines.map((line) => {
    const cells = COLUMNS.map(([, cell]) => cell(line))
    const [scenario = '', what = ''] = cells
    const same = scenario === above[0]
    const shown = [same ? '' : scenario, same && what === above[1] ? '' : what, ...cells.slice(2)]
    above = [scenario, what]
    return shown
  })
}
