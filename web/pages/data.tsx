import { PageHead } from '../parts/page.tsx'

/** To be drawn. */
export function Data() {
  return <PageHead title="Data" tab="Data" />
}
