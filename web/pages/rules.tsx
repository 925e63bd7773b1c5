import { PageHead } from '../parts/page.tsx'

/** To be drawn. */
export function Rules() {
  return <PageHead title="Rules" tab="Rules" />
}
