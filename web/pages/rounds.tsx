import { PageHead } from '../parts/page.tsx'

/** To be drawn. */
export function Rounds() {
  return <PageHead title="Rounds" tab="Rounds" />
}
