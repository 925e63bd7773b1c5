import DataLoader from 'dataloader'
import { LRUCache } from 'lru-cache'
import type { ChainHead, ChainHeadSource } from '../facts/chain-head.ts'
import { ApiError, blockReorged } from '../facts/errors.ts'
import type { FirstCheckpoint, Head, PinnedSubgraph, RecordedStake, RoundFacts, Subgraph } from '../facts/subgraph.ts'
import type { Pin } from '../graphql/cursors.ts'
import { allocateTokens, type TokenAllocation } from '../rules/token-allocation.ts'
import { byVotes, l1VotingPower, type VotingPower, votingPower } from '../rules/voting-power.ts'
import { type StakePeriod, votingPowerHistory } from '../rules/voting-power-history.ts'
import { StakeSnapshot } from './stake-snapshot.ts'

/** One indexed chain, for as long as the server runs. */
export interface IndexedChain {
  network: string
  subgraph: Subgraph
  chainHead: ChainHeadSource
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
  #pin: Pin | undefined
  #pinned: Promise<PinnedSubgraph> | undefined
  #latestBlock: Promise<ChainHead | null> | undefined
  readonly #loaders = new Map<number, DataLoader<string, VotingPower>>()

  constructor(readonly chain: IndexedChain) {}

  /** Reads everything at an earlier block; nothing may have been asked yet. */
  readonly pinAt = (pin: Pin): void => {
    this.#pin = pin
  }

  /** The facts this request reads; UPSTREAM_UNAVAILABLE, with the network's name, where its index does not answer. */
  pinned(): Promise<PinnedSubgraph> {
    if (this.#pinned === undefined) {
      this.#pinned = this.#pin === undefined ? this.chain.subgraph.pin() : this.#pinnedAt(this.#pin)
      // At the same time, so that telling how fresh the answer is does not make it late.
      this.latestBlock()
    }
    return this.#pinned
  }

  /** The head of the chain itself, indexed or not; null where it is not known. */
  latestBlock(): Promise<ChainHead | null> {
    this.#latestBlock ??= this.chain.chainHead.latest()
    return this.#latestBlock
  }

  async #pinnedAt(pin: Pin): Promise<PinnedSubgraph> {
    const { subgraph, chainHead } = this.chain
    const [pinned, hash] = await Promise.all([subgraph.pin(pin), chainHead.blockHash(pin.block)])
    // graph-node keeps blocks that were reorganised away, and would answer with what stands at their number now.
    if (hash !== null && hash !== pin.hash) throw blockReorged()
    return pinned
  }

  /** Whether anything was asked of this chain. */
  get isAsked(): boolean {
    return this.#pinned !== undefined
  }

  /**
   * Whether a round's answers stay as they are: its start is fixed by its own NewRound, and as a reorganisation could
   * undo that one, by the one after it too.
   */
  async isFinal(round: number): Promise<boolean> {
    return round < (await this.pinned()).head.currentRound
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
    const { checkpoints } = await pinned.stakesOf([account], toRound)
    const checkpointedFrom = this.checkpointedFrom(checkpoints.get(account) ?? null)
    const powerAt = (round: number, stake: StakePeriod | undefined, delegate: StakePeriod | undefined) =>
      exactVotingPower(pinned.head, account, round, stake, delegate, round >= checkpointedFrom)
    return votingPowerHistory(fromRound, toRound, stakes, delegates, checkpointedFrom, powerAt)
  }

  /** The active set of a round with the stake delegated to each at its start, wei. */
  async #activeStakes(round: number): Promise<{ transcoder: string; stake: bigint }[]> {
    const pinned = await this.pinnedFor(round)
    return (await pinned.activeTranscoders(round)).map((stake) => {
      refuseInexact(stake)
      return { transcoder: stake.account, stake: stake.delegatedAmount }
    })
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
    const fixed = await this.fixedBy(round)
    if (fixed !== null) return { ...exactTotals(fixed), finalSince: fixed.blockHash }
    const { contradictions, nextRoundTotalActiveStake: totalActiveStake, totalStake } = head
    return { ...exactTotals({ contradictions, totalActiveStake, totalStake }), finalSince: undefined }
  }

  /**
   * The round whose NewRound fixed the start of this one: itself, or the next that somebody initialised. Null while that is
   * yet to come: until then the start can change.
   */
  async fixedBy(round: number): Promise<RoundFacts | null> {
    const pinned = await this.pinnedFor(round)
    return round > pinned.head.currentRound ? null : pinned.roundFrom(round)
  }

  /**
   * A supply dealt to the active transcoders of a round, wei of the token; BAD_USER_INPUT where there is nothing to deal or
   * nobody to deal to, NO_ACTIVE_TRANSCODERS where none has stake.
   */
  async tokenAllocation(round: number, supply: bigint, seats: number): Promise<TokenAllocation> {
    if (supply < 0n) throw new ApiError('BAD_USER_INPUT', `supply is ${supply}; it must be 0 or more, in wei`)
    if (seats < 1) throw new ApiError('BAD_USER_INPUT', `seats is ${seats}; it must be 1 or more`)
    const allocation = allocateTokens(await this.#activeStakes(round), supply, seats)
    if (allocation.totalStake === 0n) {
      throw new ApiError(
        'NO_ACTIVE_TRANSCODERS',
        `No transcoder with stake is active in round ${round}; ask for another`,
      )
    }
    return allocation
  }

  async #fetchSnapshot(
    pinned: PinnedSubgraph,
    round: number,
    totals: { totalActiveStake: bigint; totalStake: bigint },
  ): Promise<StakeSnapshot> {
    const { totalActiveStake, totalStake } = totals
    if (pinned.head.l1 === null) {
      const powers = await this.#powersOf(await pinned.holders(round), round, pinned)
      return new StakeSnapshot(round, totalActiveStake, totalStake, powers, true)
    }
    const stakes = await pinned.delegates(round)
    const transcoders = stakes.flatMap((stake) => l1PowerIfKnown(pinned.head, stake, round))
    return new StakeSnapshot(round, totalActiveStake, totalStake, transcoders, false)
  }

  async #fetchVotingPowers(accounts: readonly string[], round: number): Promise<(VotingPower | Error)[]> {
    const pinned = await this.pinnedFor(round)
    const { stakes, checkpoints } = await pinned.stakesOf(accounts, round)
    const delegates = await withDelegates(stakes, round, pinned)
    return accounts.map((account) => {
      try {
        const checkpointed = this.checkpointedFrom(checkpoints.get(account) ?? null) <= round
        const stake = stakes.get(account)
        return exactVotingPower(pinned.head, account, round, stake, delegateOf(stake, delegates), checkpointed)
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
        return exactVotingPower(pinned.head, stake.account, round, stake, delegateOf(stake, delegates), checkpointed)
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

function delegateOf(stake: StakePeriod | undefined, stakes: ReadonlyMap<string, StakePeriod>): StakePeriod | undefined {
  return stake?.delegate ? stakes.get(stake.delegate) : undefined
}

/** Voting power by the rule of the chain; NOT_EXACT for an inexact stake, and for a delegator on Ethereum L1. */
function exactVotingPower(
  { l1 }: Head,
  account: string,
  round: number,
  stake: StakePeriod | undefined,
  delegate: StakePeriod | undefined,
  checkpointed: boolean,
): VotingPower {
  refuseInexact(stake)
  if (l1 === null) {
    refuseInexact(delegate)
    return votingPower(account, round, stake, delegate, checkpointed)
  }
  const power = l1VotingPower(account, round, stake, isStreamflow(l1, round))
  if (power === undefined) throw notExactOnL1(`The stake of ${account}, a delegator,`)
  return power
}

/** A transcoder's voting power on Ethereum L1; nothing for whoever is none. */
function l1PowerIfKnown({ l1 }: Head, stake: StakePeriod, round: number): VotingPower[] {
  const power = l1 === null ? undefined : l1VotingPower(stake.account, round, stake, isStreamflow(l1, round))
  if (!power?.isTranscoder) return []
  refuseInexact(stake)
  return [power]
}

/** Whether a round of Ethereum L1 began under Streamflow. */
function isStreamflow({ streamflowRound }: NonNullable<Head['l1']>, round: number): boolean {
  return streamflowRound !== null && round >= streamflowRound
}

/** NOT_EXACT for what a delegator has on Ethereum L1. */
export function notExactOnL1(what: string): ApiError {
  return new ApiError(
    'NOT_EXACT',
    `${what} on Ethereum L1 cannot be told exactly: claims left no event; a transcoder's votes and delegatedStake can`,
  )
}

/** NOT_EXACT for a stake that an event contradicted. */
export function refuseInexact(stake: StakePeriod | undefined): void {
  if (stake !== undefined && !stake.exact) {
    throw new ApiError(
      'NOT_EXACT',
      `The stake of ${stake.account} is not known exactly: an event contradicts it, see status { contradictions }, or a bond of 2018 on Ethereum L1 told no amount`,
    )
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
