import type { ComponentChildren } from 'preact'
import { useReducer } from 'preact/hooks'

/** What is there for whoever opens it; it is not drawn before, as pages have long ones. */
export function WhenOpen({
  summary,
  isOpen = false,
  children,
}: {
  summary: ComponentChildren
  /** Whether it begins open. */
  isOpen?: boolean
  children: ComponentChildren
}) {
  const [wasOpened, open] = useReducer(() => true, isOpen)
  return (
    <details open={isOpen} onToggle={(event) => event.currentTarget.open && open(undefined as never)}>
      <summary>{summary}</summary>
      {wasOpened && children}
    </details>
  )
}
