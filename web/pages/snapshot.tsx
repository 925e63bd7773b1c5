import { PageHead } from '../parts/page.tsx'

/** To be drawn. */
export function Snapshot() {
  return <PageHead title="Snapshot" tab="Snapshot" />
}
