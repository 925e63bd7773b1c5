import { PageHead } from '../parts/page.tsx'

/** To be drawn. */
export function Account() {
  return <PageHead title="Account" tab="Account" />
}
