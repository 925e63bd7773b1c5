import { PageHead } from '../parts/page.tsx'

/** To be drawn. */
export function Chains() {
  return <PageHead title="Chains" tab="Chains" />
}
