import { PageHead } from '../parts/page.tsx'

/** To be drawn. */
export function Proof() {
  return <PageHead title="Proof" tab="Proof" />
}
