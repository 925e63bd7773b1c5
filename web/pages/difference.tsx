import { PageHead } from '../parts/page.tsx'

/** To be drawn. */
export function Difference() {
  return <PageHead title="Difference" tab="Difference" />
}
