import DataLoader from 'dataloader'
import { LRUCache } from 'lru-cache'
import { ApiError } from './errors.ts'
import { StakeSnapshot } from './stake-snapshot.ts'
import type { FirstCheckpoint, PinnedSubgraph, RecordedStake, RoundFacts, Subgraph } from './subgraph.ts'
import { byVotes, type VotingPower, votingPower } from './voting-power.ts'
import { type StakePeriod, votingPowerHistory } from './voting-power-history.ts'

/** One indexed chain, for as long as the server runs. */
export interface IndexedChain {
  network: string
  subgraph: Subgraph
  /** graph-node's index-node GraphQL; without it the chain's head is not known. */
  statusUrl?: string | undefined
  /** Blocks per round, where the chain's own block numbers drive rounds. */
  roundLength?: number | undefined
  /** JSON-RPC of the chain, where there is one. */
  rpcUrl?: string | undefined
  /** Contracts of LPT, lower case. */
  lptAddresses: readonly string[]
  snapshots: LRUCache<string, Promise<StakeSnapshot>>
}

/** A cache of snapshots for an IndexedChain: a few rounds, as one of 10,000 holders takes some megabytes. */
export function snapshotCache(): IndexedChain['snapshots'] {
  return new LRUCache({ max: 20 })
}

/** One chain as one request sees it: everything as of the block that was the latest when it first looked. */
export class ChainView {
  #pinned: Promise<PinnedSubgraph> | undefined
  readonly #loaders = new Map<number, DataLoader<string, VotingPower>>()

  constructor(readonly chain: IndexedChain) {}

  /** The facts this request reads. */
  pinned(): Promise<PinnedSubgraph> {
    this.#pinned ??= this.chain.subgraph.pin()
    return this.#pinned
  }

  /** The pinned facts, if the round is one that can be asked: from the first indexed to the current one + 1. */
  async pinnedFor(round: number): Promise<PinnedSubgraph> {
    const pinned = await this.pinned()
    const { firstRound, currentRound } = pinned.head
    if (firstRound === 0) throw new ApiError('ROUND_NOT_INDEXED', 'No round is indexed yet; try again later')
    const range = `rounds ${firstRound} to ${currentRound + 1} can be asked`
    if (round < firstRound) throw new ApiError('ROUND_NOT_INDEXED', `Round ${round} is before the first one: ${range}`)
    if (round > currentRound + 1) throw new ApiError('ROUND_IN_FUTURE', `Round ${round} is yet to come: ${range}`)
    return pinned
  }

  /** The round that stands for "now": the one after the last initialised. */
  async nextRound(): Promise<number> {
    return (await this.pinned()).head.currentRound + 1
  }

  /** Voting power of one account; those asked for at one time are fetched together. */
  votingPower(account: string, round: number): Promise<VotingPower> {
    let loader = this.#loaders.get(round)
    if (loader === undefined) {
      loader = new DataLoader((accounts) => this.#fetchVotingPowers(accounts, round), { maxBatchSize: 1000 })
      this.#loaders.set(round, loader)
    }
    return loader.load(account)
  }

  /** The active set of a round with its voting powers, most votes first. */
  async activeTranscoders(round: number): Promise<VotingPower[]> {
    const pinned = await this.pinnedFor(round)
    return this.#powersOf(await pinned.activeTranscoders(round), round, pinned)
  }

  /** Who delegates to an account at the start of a round, most votes first. */
  async delegators(account: string, round: number): Promise<VotingPower[]> {
    const pinned = await this.pinnedFor(round)
    return this.#powersOf(await pinned.delegatorsOf(account, round), round, pinned)
  }

  /** The rounds in which an account's voting power changed, ascending. */
  async votingPowerHistory(account: string, fromRound: number, toRound: number): Promise<VotingPower[]> {
    const pinned = await this.pinned()
    const own = await pinned.stakeHistory([account], fromRound - 1, toRound)
    const stakes = own.get(account) ?? []
    const others = new Set(
      stakes.flatMap(({ delegate }) => (delegate === null || delegate === account ? [] : [delegate])),
    )
    const delegates = await pinned.stakeHistory([...others], fromRound - 1, toRound)
    delegates.set(account, stakes)
    for (const stake of [...stakes, ...[...delegates.values()].flat()]) refuseInexact(stake)
    const { checkpoints } = await pinned.stakesOf([account], toRound)
    const checkpointedFrom = this.checkpointedFrom(checkpoints.get(account) ?? null)
    return votingPowerHistory(account, fromRound, toRound, stakes, delegates, checkpointedFrom)
  }

  /** Everybody at the start of a round. What is over and final is kept, by the block that made it so. */
  async snapshot(round: number): Promise<StakeSnapshot> {
    const pinned = await this.pinnedFor(round)
    const totals = await this.totals(round)
    const key = `${pinned.head.deployment} ${round} ${totals.finalSince ?? pinned.head.blockHash ?? pinned.head.block}`
    const cached = this.chain.snapshots.get(key)
    if (cached !== undefined) return cached
    const snapshot = this.#fetchSnapshot(pinned, round, totals)
    this.chain.snapshots.set(key, snapshot)
    snapshot.catch(() => this.chain.snapshots.delete(key))
    return snapshot
  }

  /**
   * The totals of a round, initialised or not: those its own or the next NewRound fixed, else as they stand now; wei.
   * finalSince is the hash of the block that fixed them. NOT_EXACT after a contradiction.
   */
  async totals(
    round: number,
  ): Promise<{ totalActiveStake: bigint; totalStake: bigint; finalSince: string | undefined }> {
    const { head } = await this.pinnedFor(round)
    const fixed = round > head.currentRound ? null : await (await this.pinned()).roundFrom(round)
    if (fixed !== null) return { ...exactTotals(fixed), finalSince: fixed.blockHash }
    const { contradictions, nextRoundTotalActiveStake: totalActiveStake, totalStake } = head
    return { ...exactTotals({ contradictions, totalActiveStake, totalStake }), finalSince: undefined }
  }

  async #fetchSnapshot(
    pinned: PinnedSubgraph,
    round: number,
    totals: { totalActiveStake: bigint; totalStake: bigint },
  ): Promise<StakeSnapshot> {
    const powers = await this.#powersOf(await pinned.holders(round), round, pinned)
    return new StakeSnapshot(round, totals.totalActiveStake, totals.totalStake, powers)
  }

  async #fetchVotingPowers(accounts: readonly string[], round: number): Promise<(VotingPower | Error)[]> {
    const pinned = await this.pinnedFor(round)
    const { stakes, checkpoints } = await pinned.stakesOf(accounts, round)
    const delegates = await withDelegates(stakes, round, pinned)
    return accounts.map((account) => {
      try {
        const checkpointed = this.checkpointedFrom(checkpoints.get(account) ?? null) <= round
        return exactVotingPower(account, round, stakes.get(account), delegates, checkpointed)
      } catch (error) {
        return error as Error
      }
    })
  }

  async #powersOf(stakes: RecordedStake[], round: number, pinned: PinnedSubgraph): Promise<VotingPower[]> {
    const delegates = await withDelegates(new Map(stakes.map((stake) => [stake.account, stake])), round, pinned)
    return stakes
      .map((stake) => {
        const checkpointed = this.checkpointedFrom(stake.firstCheckpoint) <= round
        return exactVotingPower(stake.account, round, stake, delegates, checkpointed)
      })
      .sort(byVotes)
  }

  /**
   * First round at whose start the account was checkpointed; Infinity without a checkpoint. BondingVotes writes them in
   * rounds that nobody initialised, too.
   */
  checkpointedFrom(checkpoint: FirstCheckpoint | null): number {
    return checkpoint === null ? Infinity : this.roundOf(checkpoint) + 1
  }

  /** The round of a log: by its block where blocks tell the round, else the last one initialised then. */
  roundOf(log: { block: number; round: number }): number {
    const { roundLength } = this.chain
    return roundLength === undefined ? log.round : Math.floor(log.block / roundLength)
  }
}

/** Stakes with those of their delegates, by address; only delegates that are not among them are fetched. */
async function withDelegates(
  stakes: ReadonlyMap<string, StakePeriod>,
  round: number,
  pinned: PinnedSubgraph,
): Promise<Map<string, StakePeriod>> {
  const all = new Map(stakes)
  const missing = new Set<string>()
  for (const { delegate } of stakes.values()) if (delegate !== null && !all.has(delegate)) missing.add(delegate)
  const addresses = [...missing]
  for (let start = 0; start < addresses.length; start += 1000) {
    const delegates = await pinned.delegateStakes(addresses.slice(start, start + 1000), round)
    for (const [address, stake] of delegates) all.set(address, stake)
  }
  return all
}

function exactVotingPower(
  account: string,
  round: number,
  stake: StakePeriod | undefined,
  stakes: ReadonlyMap<string, StakePeriod>,
  checkpointed: boolean,
): VotingPower {
  const delegate = stake?.delegate ? stakes.get(stake.delegate) : undefined
  refuseInexact(stake)
  refuseInexact(delegate)
  return votingPower(account, round, stake, delegate, checkpointed)
}

/** NOT_EXACT for a stake that an event contradicted. */
export function refuseInexact(stake: StakePeriod | undefined): void {
  if (stake !== undefined && !stake.exact) {
    throw new ApiError('NOT_EXACT', `An event contradicts the stake of ${stake.account}; see status { contradictions }`)
  }
}

/** Totals, unless an event contradicted the state they are the sum of. */
export function exactTotals(facts: Pick<RoundFacts, 'contradictions' | 'totalActiveStake' | 'totalStake'>): {
  totalActiveStake: bigint
  totalStake: bigint
} {
  if (facts.contradictions > 0) {
    throw new ApiError('NOT_EXACT', 'An event contradicts the stake behind this total; see status { contradictions }')
  }
  return { totalActiveStake: facts.totalActiveStake, totalStake: facts.totalStake }
}
