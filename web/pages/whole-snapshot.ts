import { type Asked, ask, useAnswer } from '../ask.ts'
import { SnapshotDocument, type SnapshotQuery, type SnapshotQueryVariables } from '../generated/snapshot.ts'
import { type ListPage, useAllPages } from '../parts/all-pages.ts'
import { snapshotVariables } from '../places.ts'
import { type Problem, problemAt, UNREACHABLE } from '../problems.ts'

type Snapshot = NonNullable<SnapshotQuery['stakeSnapshot']>
type Node = NonNullable<Snapshot['holders']>['nodes'][number]

/** What one account has at the start of a round. */
export interface Holder {
  account: string
  votes: bigint
  /** Its own, with rewards; undefined on Ethereum L1, where that is not known. */
  stake: bigint | undefined
  delegate: string | null
  delegatedStake: bigint
  isTranscoder: boolean
  isActive: boolean
}

/** Everybody at the start of a round, as far as they are at hand. */
export interface WholeSnapshot {
  /** The round's own figures, and the first holders. */
  asked: Asked<SnapshotQuery>
  variables: SnapshotQueryVariables
  /** By votes, most first. */
  holders: readonly Holder[]
  totalCount: number | undefined
  /** Whether all of them are at hand. */
  isWhole: boolean
  /** Why they are not. */
  problem: Problem | undefined
  /** Whether only transcoders are known: on Ethereum L1. */
  transcodersOnly: boolean
}

const NOBODY: readonly Holder[] = []
const parsed = new WeakMap<readonly unknown[], readonly Holder[]>()

/** Asks for everybody at the start of a round, page by page; for transcoders only where no more is known. */
export function useWholeSnapshot(round: number | undefined, network: string | undefined): WholeSnapshot {
  const everybody = snapshotVariables(round ?? 0, network)
  const first = useAnswer(SnapshotDocument, round === undefined ? null : everybody)
  const refused = problemAt(first.answer?.problems ?? [], 'stakeSnapshot', 'holders')
  const transcodersOnly = first.answer?.data?.stakeSnapshot?.holders === null && refused?.code === 'NOT_EXACT'
  const ofTranscoders = snapshotVariables(round ?? 0, network, true)
  const second = useAnswer(SnapshotDocument, transcodersOnly ? ofTranscoders : null)
  const asked = transcodersOnly ? second : first
  const variables = transcodersOnly ? ofTranscoders : everybody
  const list = asked.answer?.data?.stakeSnapshot?.holders
  const pages = useAllPages<Node>(JSON.stringify(variables), list, async (after) => {
    const { data, problems } = await ask(
      SnapshotDocument,
      snapshotVariables(round ?? 0, network, transcodersOnly, after),
    )
    const page: ListPage<Node> | null | undefined = data?.stakeSnapshot?.holders
    return page ?? problems[0] ?? { code: UNREACHABLE, message: 'The API answered nothing' }
  })
  return {
    asked,
    variables,
    holders: holdersOf(pages.nodes),
    totalCount: list?.totalCount,
    isWhole: list !== undefined && list !== null && pages.isWhole,
    problem: pages.problem ?? problemAt(asked.answer?.problems ?? [], 'stakeSnapshot'),
    transcodersOnly,
  }
}

/** Each list once. */
function holdersOf(nodes: readonly Node[]): readonly Holder[] {
  if (nodes.length === 0) return NOBODY
  let holders = parsed.get(nodes)
  if (holders === undefined) {
    holders = nodes.map(({ account, votes, stake, delegate, delegatedStake, isTranscoder, isActive }) => ({
      account,
      votes: BigInt(votes),
      stake: stake === null || stake === undefined ? undefined : BigInt(stake),
      delegate,
      delegatedStake: BigInt(delegatedStake),
      isTranscoder,
      isActive,
    }))
    parsed.set(nodes, holders)
  }
  return holders
}
