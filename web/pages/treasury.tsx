import { PageHead } from '../parts/page.tsx'

/** To be drawn. */
export function Treasury() {
  return <PageHead title="Treasury" tab="Treasury" />
}
