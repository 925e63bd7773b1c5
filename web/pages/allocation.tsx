import { PageHead } from '../parts/page.tsx'

/** To be drawn. */
export function Allocation() {
  return <PageHead title="Allocation" tab="Allocation" />
}
