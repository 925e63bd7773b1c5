import type { ProposalFilter, ProposalOrder, ProposalState, VotingSystem } from './generated/proposals.ts'

/** Where pages are, and what their addresses ask for: the server and the browser read them alike. */

/** Paths as Express and preact-iso match them; the first that fits counts. */
export const PATHS = {
  overview: '/',
  proposals: '/proposals',
  proposal: '/proposals/:id',
  difference: '/snapshots/:from...:to',
  snapshot: '/snapshots/:round',
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

/** Whose stake an address of a deal asks for; null where it has no round. */
export function allocationVariables({ params, query }: Place): { round: number; network?: string } | null {
  if (!/^\d{1,9}$/.test(params.round ?? '')) return null
  return { round: Number(params.round), ...(query.network ? { network: query.network } : {}) }
}
