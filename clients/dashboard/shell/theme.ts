import { useSyncExternalStore } from 'react'

export type Theme = 'auto' | 'light' | 'dark'

const KEY = 'epochcast.theme'
const ORDER: readonly Theme[] = ['auto', 'light', 'dark']

let theme: Theme = keptTheme()
const listeners = new Set<() => void>()
const system = matchMedia('(prefers-color-scheme: dark)')
system.addEventListener('change', () => tell())

/** Auto is what the system has, also as it changes. */
export function applyTheme(): void {
  const { dataset } = document.documentElement
  if (theme === 'auto') delete dataset.theme
  else dataset.theme = theme
}

/** The theme that is chosen, how to choose the next, and what is seen of it: charts are drawn anew when that changes. */
export function useTheme(): { theme: Theme; next: () => void; shown: 'light' | 'dark' } {
  const shown = useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => `${theme} ${isDark() ? 'dark' : 'light'}`,
  )
  return { theme, next, shown: shown.endsWith('dark') ? 'dark' : 'light' }
}

function next(): void {
  theme = ORDER[(ORDER.indexOf(theme) + 1) % ORDER.length] as Theme
  try {
    localStorage.setItem(KEY, theme)
  } catch {
    // It holds as long as the page is open.
  }
  applyTheme()
  tell()
}

const isDark = () => theme === 'dark' || (theme === 'auto' && system.matches)

const tell = () => {
  for (const listener of listeners) listener()
}

function keptTheme(): Theme {
  try {
    const kept = localStorage.getItem(KEY) as Theme
    return ORDER.includes(kept) ? kept : 'auto'
  } catch {
    return 'auto'
  }
}
