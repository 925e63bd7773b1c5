import type { ComponentChildren } from 'preact'
import { useEffect } from 'preact/hooks'

/** The head of a page: its one first-level heading, which is the title of the tab too. */
export function PageHead({
  title,
  tab,
  kicker,
  children,
}: {
  title: ComponentChildren
  /** In the tab. */
  tab: string
  kicker?: ComponentChildren
  children?: ComponentChildren
}) {
  useEffect(() => {
    document.title = tab === 'Livepeer governance' ? tab : `${tab} · Livepeer governance`
  }, [tab])
  return (
    <header class="page-head">
      {kicker !== undefined && <p class="kicker">{kicker}</p>}
      <h1>{title}</h1>
      {children}
    </header>
  )
}
