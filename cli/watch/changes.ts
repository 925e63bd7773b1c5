import type { ProposalEventKind, ProposalState, VotingSystem } from '../../api/graphql/generated/resolvers.ts'
import type { Api, PartialAnswer } from '../api.ts'

/** A step in a proposal's life that has come to pass. */
export interface Change {
  /** The same for the same change however often it is told: proposal and kind, and of a closed vote what came of it. */
  id: string
  /** The proposal's global id. */
  proposal: string
  system: VotingSystem
  network: string
  /** Anybody's text. */
  title: string
  kind: ProposalEventKind
  /** Of VOTING_CLOSED: whether it passed; else null. */
  passed: boolean | null
  /** The proposal's state when the change was noticed, which others may have followed; null where it cannot be told. */
  state: ProposalState | null
  /** When it happened, ISO 8601 in UTC; null where that cannot be told. */
  time: string | null
  /** Whether time is an estimate. */
  estimated: boolean
  /** Round of the treasury's governor; else null. */
  round: number | null
  /** Block and transaction of the event; null where the clock brought it. */
  block: string | null
  transaction: string | null
}

/** A chain, and whether all that has happened on it so far is known. */
export interface Network {
  name: string
  caughtUp: boolean
}

/** What the API says at one time. */
export interface Reading {
  networks: Network[]
  /** All changes so far, in order. */
  changes: Change[]
  /** Proposals whose state cannot be told, each with the error's code. */
  untold: { proposal: string; code: string }[]
}

interface ProposalAnswer {
  id: string
  system: VotingSystem
  network: string
  title: string
  state: ProposalState | null
  outcome: { quorumReached: boolean; supportReached: boolean } | null
  timeline: {
    kind: ProposalEventKind
    at: { block: string; transactionHash: string } | null
    round: number | null
    timestamp: string | null
    estimated: boolean
  }[]
}

interface Page {
  status: { network: string; error: string | null; headBlock: string | null; synced: boolean }[]
  proposals: { nodes: ProposalAnswer[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } }
}

const PAGE = `query Watch($after: String) {
  status { network error headBlock synced }
  proposals(first: 100, after: $after, orderBy: CREATED_ASC) {
    nodes {
      id system network title state
      outcome { quorumReached supportReached }
      timeline { kind at { block transactionHash } round timestamp estimated }
    }
    pageInfo { hasNextPage endCursor }
  }
}`

/** The code of what will never be told; others may pass. */
const NOT_EXACT = 'NOT_EXACT'

const REQUEST_TIMEOUT_MS = 60_000

/** Asks for all proposals there are. Errors as of Api.partialQuery. */
export async function readChanges(api: Api, signal: AbortSignal): Promise<Reading> {
  const ask = (after: string | null): Promise<PartialAnswer<Page>> =>
    api.partialQuery(PAGE, { after }, AbortSignal.any([signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]))
  const perProposal: Change[][] = []
  const unsettled = new Set<string>()
  const untold: Reading['untold'] = []
  let page = await ask(null)
  // What is made while later pages are read is of a time after this one.
  const { status } = page.data
  for (;;) {
    const { data, errors } = page
    const codes = new Map(errors.map(({ path, code }) => [path, code]))
    for (const [index, proposal] of data.proposals.nodes.entries()) {
      perProposal.push(changesOf(proposal))
      const code = codes.get(`proposals.nodes.${index}.state`)
      if (code !== undefined) untold.push({ proposal: proposal.id, code })
      const passes = [code, codes.get(`proposals.nodes.${index}.outcome`)].some(
        (one) => (one ?? NOT_EXACT) !== NOT_EXACT,
      )
      if (passes) unsettled.add(proposal.network)
    }
    const { hasNextPage, endCursor } = data.proposals.pageInfo
    if (!hasNextPage) break
    page = await ask(endCursor)
  }
  const networks = status.map(({ network, error, headBlock, synced }) => ({
    name: network,
    // Where nobody tells the head there is none to wait for.
    caughtUp: error === null && (headBlock === null || synced) && !unsettled.has(network),
  }))
  return { networks, changes: inOrder(perProposal), untold }
}

/** What has come to pass of a proposal, in order. Without a state nothing is known of what the clock brings. */
function changesOf(proposal: ProposalAnswer): Change[] {
  const { id, system, network, title, state, timeline } = proposal
  return timeline.flatMap(({ kind, at, round, timestamp, estimated }) => {
    const passed = kind === 'VOTING_CLOSED' ? passedAtClose(proposal) : null
    if (at === null && !hasCome(kind, state)) return []
    if (kind === 'VOTING_CLOSED' && passed === null) return []
    const outcome = passed === null ? '' : passed ? ':PASSED' : ':NOT_PASSED'
    return {
      id: `${id}:${kind}${outcome}`,
      proposal: id,
      system,
      network,
      title,
      kind,
      passed,
      state,
      time: timestamp,
      estimated,
      round,
      block: at?.block ?? null,
      transaction: at?.transactionHash ?? null,
    }
  })
}

/** Whether the clock has brought it. A canceled proposal's timeline holds nothing that was yet to come. */
function hasCome(kind: ProposalEventKind, state: ProposalState | null): boolean {
  if (state === null || state === 'PENDING') return false
  return state !== 'ACTIVE' || kind === 'VOTING_OPENED'
}

/** Whether it had passed when voting closed, whatever became of it; null where that is not known, or it is still open. */
function passedAtClose({ state, outcome }: ProposalAnswer): boolean | null {
  switch (state) {
    case null:
    case 'PENDING':
    case 'ACTIVE':
      return null
    case 'DEFEATED':
      return false
    case 'CANCELED':
      return outcome === null ? null : outcome.quorumReached && outcome.supportReached
    default:
      return true
  }
}

/** By time, but each proposal's as they are; a change without a time stands with the one before it. */
function inOrder(perProposal: readonly Change[][]): Change[] {
  const timed = perProposal.flatMap((changes) => {
    let latest = 0
    return changes.map((change) => {
      if (change.time !== null) latest = Math.max(latest, Date.parse(change.time))
      return { latest, change }
    })
  })
  return timed.sort((a, b) => a.latest - b.latest).map(({ change }) => change)
}
