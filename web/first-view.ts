import { AccountDocument } from './generated/account.ts'
import { AllocationStakesDocument } from './generated/allocation.ts'
import { ChainsDocument } from './generated/chains.ts'
import { FrameDocument } from './generated/frame.ts'
import { OverviewDocument, type OverviewQuery } from './generated/overview.ts'
import { ProposalDocument, type ProposalQuery } from './generated/proposal.ts'
import { ProposalsDocument } from './generated/proposals.ts'
import { RoundsDocument } from './generated/rounds.ts'
import { SnapshotDocument } from './generated/snapshot.ts'
import { TreasuriesDocument } from './generated/treasury.ts'
import { VerifyDocument } from './generated/verify.ts'
import {
  accountOf,
  accountVariables,
  allocationVariables,
  PATHS,
  type Place,
  proposalsVariables,
  proposalVariables,
  roundOf,
  roundsVariables,
  snapshotVariables,
} from './places.ts'

/**
 * What each page is called and asks first: the server puts the answers into the page it sends, so that figures are there
 * with the first paint, and says without script what there would be to see. No document object model, nothing of Node.
 */

/** A question of a page. */
export interface Question {
  document: { toString(): string }
  variables: object
}

/** A file that has what a page shows. */
export interface FileLink {
  href: string
  name: string
}

/** A page of the explorer. */
export interface Page {
  /** As Express and preact-iso match it. */
  path: string
  /** In the title, where nothing better is known. */
  name: string
  /** In a sentence, for link previews and for readers without script. */
  about: string
  /** What it asks first; null where it asks nothing. */
  ask: (place: Place) => Question | null
  /** A better title, by the place and the data of the answer, where there is one. */
  title?: (place: Place, data: unknown) => string | undefined
  /** The same as files. */
  files: (place: Place) => readonly FileLink[]
}

/** What the frame of every page asks. */
export const FRAME: Question = { document: FrameDocument, variables: {} }

/** All pages; the server and the browser look for the first that fits. */
export const PAGES = {
  overview: {
    path: PATHS.overview,
    name: 'Livepeer governance',
    about: 'What is voted on, who decides, and what became of every proposal, poll and Aragon vote: exact to the wei.',
    ask: () => ({ document: OverviewDocument, variables: {} }),
    title: (_, data) => {
      const open = (data as OverviewQuery | null)?.open?.totalCount
      return open === undefined || open === 0 ? undefined : `${open} open · Livepeer governance`
    },
    files: () => [
      { href: '/proposals.csv', name: 'all proposals' },
      { href: '/proposals.atom', name: 'a feed of their changes' },
    ],
  },
  proposals: {
    path: PATHS.proposals,
    name: 'Proposals',
    about:
      'Every treasury proposal, poll and Aragon vote, with its state, its tally and by how much it passed or failed.',
    ask: (place) => ({ document: ProposalsDocument, variables: proposalsVariables(place) }),
    files: () => [
      { href: '/proposals.csv', name: 'all proposals, CSV' },
      { href: '/proposals.json', name: 'all proposals, JSON' },
      { href: '/proposals.ics', name: 'a calendar of voting periods' },
    ],
  },
  proposal: {
    path: PATHS.proposal,
    name: 'Proposal',
    about: 'How one proposal was counted: who voted, who was overridden, who was absent, and why it passed or failed.',
    ask: (place) => ({ document: ProposalDocument, variables: proposalVariables(place) }),
    title: (_, data) => (data as ProposalQuery | null)?.proposal?.title,
    files: ({ params: { id } }) => [
      { href: `/proposals/${id}/votes.csv`, name: 'its votes' },
      { href: `/proposals/${id}/absentees.csv`, name: 'who did not vote' },
      { href: `/proposals/${id}/recount.csv`, name: 'what it came to' },
    ],
  },
  difference: {
    path: PATHS.difference,
    name: 'Difference of two rounds',
    about: 'Who gained and lost stake between two rounds, who changed delegate, who came and who went.',
    ask: ({ params: { from }, query }) => {
      const round = roundOf(from)
      return round === undefined
        ? null
        : { document: SnapshotDocument, variables: snapshotVariables(round, query.network) }
    },
    title: ({ params: { from, to } }) => `Rounds ${from} to ${to}: what changed`,
    files: ({ params: { from, to } }) =>
      [from, to].flatMap((round) =>
        roundOf(round) === undefined
          ? []
          : [{ href: `/snapshots/${round}.csv`, name: `everybody’s stake at round ${round}` }],
      ),
  },
  snapshot: {
    path: PATHS.snapshot,
    name: 'Stake at a round',
    about: 'Everybody’s stake and voting power at the start of a round, exact to the wei.',
    ask: ({ params, query }) => {
      const round = roundOf(params.round)
      return round === undefined
        ? null
        : { document: SnapshotDocument, variables: snapshotVariables(round, query.network) }
    },
    title: ({ params: { round } }) => `Stake at round ${round}`,
    files: ({ params: { round }, query: { network } }) =>
      roundOf(round) === undefined
        ? []
        : ['.csv', '.json', '.ndjson', '/tree.json', '/scores.json'].map((file) => ({
            href: `/snapshots/${round}${file}${network === undefined ? '' : `?network=${encodeURIComponent(network)}`}`,
            name: `everybody’s stake, ${file.replace(/^\W/, '')}`,
          })),
  },
  latestSnapshot: {
    path: PATHS.latestSnapshot,
    name: 'Stake at the latest round',
    about: 'Everybody’s stake and voting power at the start of the latest round, exact to the wei.',
    ask: () => null,
    files: () => [{ href: '/history.csv', name: 'the whole stake history' }],
  },
  rounds: {
    path: PATHS.rounds,
    name: 'Rounds',
    about: 'Stake, active set and concentration of voting power over all rounds.',
    ask: ({ query }) => ({ document: RoundsDocument, variables: roundsVariables(query) }),
    files: () => [{ href: '/history.csv', name: 'the whole stake history' }],
  },
  account: {
    path: PATHS.account,
    name: 'Account',
    about: 'The voting power of one account over all rounds, its delegators, and how it was counted on each proposal.',
    ask: ({ params, query }) => {
      const address = accountOf(params.address)
      return address === undefined ? null : { document: AccountDocument, variables: accountVariables(address, query) }
    },
    title: ({ params: { address } }) => `Account ${address?.slice(0, 8)}…${address?.slice(-6)}`,
    files: ({ query: { round } }) =>
      roundOf(round) === undefined ? [] : [{ href: `/snapshots/${round}.csv`, name: 'everybody’s stake at the round' }],
  },
  treasury: {
    path: PATHS.treasury,
    name: 'Treasury',
    about: 'What came into the treasury and the vaults, what went out, and by which proposal.',
    ask: () => ({ document: TreasuriesDocument, variables: {} }),
    files: () => [],
  },
  allocation: {
    path: PATHS.allocation,
    name: 'Allocation',
    about: 'A supply of voting tokens dealt to the active transcoders of a round: how the TranscoderDAO was set up.',
    ask: (place) => {
      const variables = allocationVariables(place)
      return variables === null ? null : { document: AllocationStakesDocument, variables }
    },
    title: ({ params: { round } }) => `Allocation at round ${round}`,
    files: ({ params: { round } }) => [{ href: `/allocations/${round}.csv`, name: 'the allocation' }],
  },
  allocations: {
    path: PATHS.allocations,
    name: 'Allocation',
    about: 'A supply of voting tokens dealt to the active transcoders of a round: how the TranscoderDAO was set up.',
    ask: () => null,
    files: () => [],
  },
  proof: {
    path: PATHS.proof,
    name: 'Proof',
    about: 'A Merkle proof of one account’s votes at a round, recomputed hash by hash.',
    ask: () => null,
    files: () => [],
  },
  verify: {
    path: PATHS.verify,
    name: 'Verify',
    about: 'Every figure compared with what the contracts answer at a node of your own.',
    ask: () => ({ document: VerifyDocument, variables: {} }),
    files: () => [],
  },
  data: {
    path: PATHS.data,
    name: 'Data',
    about: 'All files, formats and feeds, and the same by command line and GraphQL.',
    ask: () => null,
    files: () => [{ href: '/openapi.json', name: 'every path, described' }],
  },
  chains: {
    path: PATHS.chains,
    name: 'Chains',
    about: 'Where the index of each chain stands, and what of it is not exact.',
    ask: () => ({ document: ChainsDocument, variables: {} }),
    files: () => [{ href: '/status', name: 'the same as JSON' }],
  },
  rules: {
    path: PATHS.rules,
    name: 'Rules',
    about: 'How voting power, overrides and outcomes are counted in the three voting systems, with sources.',
    ask: () => null,
    files: () => [],
  },
} as const satisfies Record<string, Page>
