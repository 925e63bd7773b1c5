import { PageHead } from '../parts/page.tsx'

/** To be drawn. */
export function Verify() {
  return <PageHead title="Verify" tab="Verify" />
}
