import type { ProposalFilter, ProposalOrder, ProposalState, VotingSystem } from './generated/proposals.ts'

/** Where pages are, and what their addresses ask for: the server and the browser read them alike. */

/** Paths as Express and preact-iso match them; the first that fits counts. */
export const PATHS = {
  overview: '/',
  proposals: '/proposals',
  proposal: '/proposals/:id',
  difference: '/snapshots/:from...:to',
  snapshot: '/snapshots/:round',
  latestSnapshot: '/snapshots',
  rounds: '/rounds',
  account: '/accounts/:address',
  treasury: '/treasury',
  allocation: '/allocations/:round',
  allocations: '/allocations',
  proof: '/proof',
  verify: '/verify',
  data: '/data',
  chains: '/chains',
  rules: '/rules',
} as const

/** Parameters of a page: of its path, and of its query. */
export interface Place {
  params: Readonly<Record<string, string>>
  query: Readonly<Record<string, string>>
}

/** How many proposals a page of the list has. */
const PROPOSALS = 50
const SYSTEMS: readonly VotingSystem[] = ['TREASURY', 'POLL', 'ARAGON']
const STATES: readonly ProposalState[] = [
  'PENDING',
  'ACTIVE',
  'CANCELED',
  'DEFEATED',
  'SUCCEEDED',
  'QUEUED',
  'EXPIRED',
  'EXECUTED',
]
const ORDERS: readonly ProposalOrder[] = ['CREATED_DESC', 'CREATED_ASC', 'ENDS_DESC', 'ENDS_ASC']

/** Which proposals an address of the list asks for; what it does not know of it leaves out. */
export function proposalsVariables({ query }: Pick<Place, 'query'>, after?: string) {
  const known = <Known extends string>(text: string | undefined, all: readonly Known[]): Known[] =>
    all.filter((name) => (text ?? '').toUpperCase().split(',').includes(name))
  const system = known(query.system, SYSTEMS)
  const state = known(query.state, STATES)
  const [orderBy = 'CREATED_DESC'] = known(query.order, ORDERS)
  const filter: ProposalFilter = {
    ...(system.length === 0 ? {} : { system }),
    ...(state.length === 0 ? {} : { state }),
    ...(query.q ? { search: query.q } : {}),
    ...(query.proposer ? { proposer: query.proposer } : {}),
    ...(query.voter ? { voter: query.voter } : {}),
    ...(query.from ? { createdAfter: query.from } : {}),
    ...(query.to ? { createdBefore: query.to } : {}),
    ...(query.network ? { network: query.network } : {}),
  }
  return { first: PROPOSALS, filter, orderBy, ...(after === undefined ? {} : { after }) }
}

/** Which proposal an address is of. */
export function proposalVariables({ params }: Pick<Place, 'params'>) {
  return { id: params.id ?? '' }
}

/** Holders that come with the page itself, and on each further page of them. */
const FIRST_HOLDERS = 100
const MORE_HOLDERS = 1_000

/**
 * What everybody had at the start of a round: the first of them, or those after. Ethereum L1 tells of transcoders only, and
 * not what they have of their own.
 */
export function snapshotVariables(
  round: number,
  network: string | undefined,
  transcodersOnly = false,
  after?: string,
): {
  round: number
  network?: string
  first: number
  after?: string
  transcodersOnly: boolean
  own: boolean
} {
  return {
    round,
    ...(network === undefined ? {} : { network }),
    first: after === undefined ? FIRST_HOLDERS : MORE_HOLDERS,
    ...(after === undefined ? {} : { after }),
    transcodersOnly,
    own: !transcodersOnly,
  }
}

/** A round as an address has it; undefined where it is none. */
export function roundOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined
}

/** The two rounds of an address such as `61...84`; undefined where it has none. */
export function roundsOf(text: string | undefined): { from: number; to: number } | undefined {
  const [, from, to] = /^(\d{1,9})\.\.\.(\d{1,9})$/.exec(text ?? '') ?? []
  return from === undefined || to === undefined ? undefined : { from: Number(from), to: Number(to) }
}

/** An account as an address has it, in lower case; undefined where it is none. */
export function accountOf(text: string | undefined): string | undefined {
  return text !== undefined && /^0x[0-9a-f]{40}$/i.test(text) ? text.toLowerCase() : undefined
}

/** What one account has now, and at the round of the address where it names one; of the chain it names. */
export function accountVariables(
  address: string,
  { round: text, network }: Readonly<Record<string, string>>,
): { address: string; round?: number; network?: string; asked: boolean } {
  const round = roundOf(text)
  return {
    address,
    ...(round === undefined ? {} : { round }),
    ...(network === undefined ? {} : { network }),
    asked: round !== undefined,
  }
}

/** Whose stake an address of a deal asks for; null where it has no round. */
export function allocationVariables({ params, query }: Place): { round: number; network?: string } | null {
  if (!/^\d{1,9}$/.test(params.round ?? '')) return null
  return { round: Number(params.round), ...(query.network ? { network: query.network } : {}) }
}

/** Rounds of a page of them; fewer where all holders have to be looked at for each. */
const ROUNDS = 1_000
const ROUNDS_WITH_HOLDERS = 100

/** All rounds from the first on, or those after: of the chain that the address names, and with what it asks for. */
export function roundsVariables(
  { network, holders }: Readonly<Record<string, string>>,
  after?: string,
): { first: number; after?: string; network?: string; holders: boolean } {
  return {
    first: holders === '1' ? ROUNDS_WITH_HOLDERS : ROUNDS,
    ...(after === undefined ? {} : { after }),
    ...(network === undefined ? {} : { network }),
    holders: holders === '1',
  }
}
