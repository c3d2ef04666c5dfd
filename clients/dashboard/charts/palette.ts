import type { Line } from './metric-groups.ts'

/** Custom properties of the style sheet, in both themes. */
const ROLES = { value: '--line-1', train: '--line-2', val: '--line-3', test: '--line-4' } as const
const CYCLE = [
  '--line-1',
  '--line-3',
  '--line-2',
  '--line-4',
  '--line-5',
  '--line-6',
  '--line-7',
  '--line-8',
] as const

export const colorNames = (lines: readonly Line[]): string[] =>
  lines.map(({ role }, index) => (role === 'member' ? (CYCLE[index % CYCLE.length] as string) : ROLES[role]))

export const runColorName = (index: number): string => CYCLE[index % CYCLE.length] as string

/** What a property comes to where an element stands; a canvas knows no properties, and no `light-dark()`. */
export function resolveColors(element: HTMLElement, names: readonly string[]): string[] {
  const probe = element.ownerDocument.createElement('span')
  element.append(probe)
  const colors = names.map((name) => {
    probe.style.color = `var(${name})`
    return getComputedStyle(probe).color
  })
  probe.remove()
  return colors
}
