import { PageHead } from '../parts/page.tsx'

/** To be drawn. */
export function Proposal() {
  return <PageHead title="Proposal" tab="Proposal" />
}
