import { padEnd, padStart, printable, widthOf } from './text.ts'

export interface Column<Row> {
  readonly title: string
  readonly align?: 'right'
  readonly value: (row: Row) => string
}

/** Aligned columns under their titles, two spaces apart; an empty value is shown as `-`. */
export function table<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string[] {
  const cells = [
    columns.map(({ title }) => title),
    ...rows.map((row) => columns.map(({ value }) => printable(value(row)) || '-')),
  ]
  const widths = columns.map((_, index) => Math.max(...cells.map((row) => widthOf(row[index] ?? ''))))
  return cells.map((row) =>
    row
      .map((cell, index) => {
        const pad = columns[index]?.align === 'right' ? padStart : padEnd
        return pad(cell, widths[index] ?? 0)
      })
      .join('  ')
      .trimEnd(),
  )
}
