import { PAGES } from '../../web/first-view.ts'

/** A page on the recorded chains. */
export interface TestedPage {
  /** As its picture is called. */
  name: string
  path: string
  /** What must be read on it. */
  has: readonly (string | RegExp)[]
}

/** A treasury proposal that was executed, with overrides; a poll; a vote of the DAO with a payment. */
export const TREASURY = 'treasury:66972357199634113862121899119113811504688259260957741133310485822226026564359'
const POLL = 'poll:0xe801273f775eacc1d74d1d43f92ec4524cabbd35'
const ARAGON = 'aragon:0xb40d99b1eb2446784cf15972d43dd1538fd116a5:31'
/** The largest transcoder at the last round. */
const TRANSCODER = '0x553bc17a05702530097c3677091c5bb47a3a7931'

/** Every page, some of them at more than one place: a new one is a line. */
export const TESTED_PAGES: readonly TestedPage[] = [
  { name: 'overview', path: '/', has: ['Latest outcomes', 'Who decides', 'Proposal 7'] },
  { name: 'proposals', path: '/proposals', has: ['43 proposals', 'Proposal 7', 'Fund proposal 557'] },
  { name: 'proposals-filtered', path: '/proposals?system=POLL&state=DEFEATED', has: ['1 proposal', '0xf3ee3c4e'] },
  { name: 'proposals-none', path: '/proposals?q=nothing+of+the+kind', has: ['No proposal fits all of these filters'] },
  { name: 'proposal', path: `/proposals/${TREASURY}`, has: [/proposal/i] },
  { name: 'poll', path: `/proposals/${POLL}`, has: [/proposal|poll/i] },
  { name: 'aragon-vote', path: `/proposals/${ARAGON}`, has: [/proposal/i] },
  { name: 'snapshot', path: '/snapshots/61', has: [/61|snapshot/i] },
  { name: 'snapshot-latest', path: '/snapshots', has: [/stake at round/i] },
  { name: 'snapshot-l1', path: '/snapshots/21?network=recorded-3', has: [/21|snapshot/i] },
  { name: 'difference', path: '/snapshots/61...84', has: [/61|difference/i] },
  { name: 'rounds', path: '/rounds', has: ['Rounds'] },
  { name: 'account', path: `/accounts/${TRANSCODER}`, has: [/account/i] },
  { name: 'treasury', path: '/treasury', has: ['Treasury'] },
  { name: 'allocation', path: '/allocations/61', has: [/allocation/i] },
  { name: 'allocation-latest', path: '/allocations', has: [/allocation/i] },
  { name: 'proof', path: `/proof?round=61&account=${TRANSCODER}`, has: [/proof/i] },
  { name: 'verify', path: '/verify', has: ['Check it yourself'] },
  { name: 'data', path: '/data', has: ['Files and feeds'] },
  { name: 'chains', path: '/chains', has: ['Chains'] },
  { name: 'rules', path: '/rules', has: ['How votes are counted'] },
]

/** Patterns of the pages that no tested one is at. */
export function untestedPatterns(): readonly string[] {
  const isAt = (pattern: string, path: string) =>
    new RegExp(`^${pattern.replaceAll('.', '\\.').replace(/:\w+/g, '[^/]+?')}$`).test(path.replace(/\?.*/, ''))
  return Object.values(PAGES)
    .map(({ path }) => path)
    .filter((pattern) => !TESTED_PAGES.some(({ path }) => isAt(pattern, path)))
}
