import { signal } from '@preact/signals'

/** Light, dark, or as the reader's system has it. */
export type Theme = 'SYSTEM' | 'LIGHT' | 'DARK'

const KEY = 'livepeer-governance.theme'

/** The theme now. */
const theme = signal<Theme>('SYSTEM')

/** Takes the theme that this browser kept. */
export function loadTheme(): void {
  try {
    const kept = localStorage.getItem(KEY)
    if (kept === 'LIGHT' || kept === 'DARK') show(kept)
  } catch {
    // A browser that keeps nothing has its system's.
  }
}

/** The other of light and dark than what is shown. */
export function turnTheme(): void {
  const isDark =
    theme.value === 'DARK' || (theme.value === 'SYSTEM' && matchMedia('(prefers-color-scheme: dark)').matches)
  show(isDark ? 'LIGHT' : 'DARK')
  try {
    localStorage.setItem(KEY, theme.value)
  } catch {
    // It holds as long as the page then.
  }
}

function show(next: Theme): void {
  theme.value = next
  document.documentElement.dataset.theme = next.toLowerCase()
}
