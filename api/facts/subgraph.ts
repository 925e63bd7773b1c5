import type { TypedDocumentNode } from '@graphql-typed-document-node/core'
import { print } from 'graphql'
import { ClientError, GraphQLClient } from 'graphql-request'
import { LRUCache } from 'lru-cache'
import type { Pin } from '../graphql/cursors.ts'
import type { StakePeriod } from '../rules/voting-power-history.ts'
import { ApiError, blockReorged } from './errors.ts'
import {
  ActiveTranscodersDocument,
  type AragonVoteFactsFragment,
  ContradictionsDocument,
  DelegateStakesDocument,
  DelegatesDocument,
  DelegatorsOfDocument,
  GovernanceSettingsDocument,
  HeadDocument,
  HoldersDocument,
  LifeDocument,
  PaymentsDocument,
  type PollFactsFragment,
  ProposalsDocument,
  RoundBranchesDocument,
  type RoundFactsFragment,
  RoundFromDocument,
  RoundsDocument,
  type StakeFragment,
  StakeHistoryDocument,
  type StakeStateFragment,
  StakesDocument,
  StakesOfDocument,
  type StakesQueryVariables,
  TimelockEndsDocument,
  TokenBalancesDocument,
  TreasuriesDocument,
  type TreasuryProposalFactsFragment,
  TreasuryTransfersDocument,
  VoteCastsDocument,
  VotesOfDocument,
  VotingTokensDocument,
} from './generated/queries.ts'

/** What graph-node returns at the most for one list. */
const UPSTREAM_PAGE = 1000
/** Long enough for a page of a thousand positions on a busy machine; for as long only while graph-node shows signs of life. */
const PAGE_TIMEOUT_MS = 10_000
/** How long a page may take before graph-node has to show a sign of life; with the next one less than 2 seconds. */
const PROBE_AFTER_MS = 600
/** Long enough for what takes graph-node a few milliseconds. */
const HEAD_TIMEOUT_MS = 1200
/** How long a head is taken for the latest: less than any chain takes for a block. */
const HEAD_LIFETIME_MS = 100
/** Blocks this far behind the head are not reorganised: on Ethereum L1 finality takes 64, Arbitrum is final sooner. */
const FINAL_DEPTH = 250
/** How many entities are kept of what was answered before: at a kilobyte each, some tens of megabytes. */
const KEPT_ENTITIES = 50_000
/** Smaller than any id, to page from the beginning. */
const BEFORE_ALL = '0x'

/** Where the index stands, and the protocol's totals there. */
export interface Head {
  block: number
  /** Null for a block in the past whose hash graph-node does not keep. */
  blockHash: string | null
  timestamp: number
  /** graph-node's id of the deployed subgraph. */
  deployment: string
  hasIndexingErrors: boolean
  /** 0 before any round was initialised. */
  firstRound: number
  currentRound: number
  /** Active stake of the round that comes next, wei, as things stand. */
  nextRoundTotalActiveStake: bigint
  totalStake: bigint
  contradictions: number
  /** Ethereum L1's stake: the first round that began under Streamflow, null under V1. Null on Arbitrum. */
  l1: { streamflowRound: number | null } | null
}

/** A place on the chain; the round is the last one initialised then, 0 for none. */
export interface LogPosition {
  block: number
  logIndex: number
  timestamp: number
  transactionHash: string
  round: number
}

/** An initialised round. */
export interface RoundFacts {
  number: number
  totalActiveStake: bigint
  totalStake: bigint
  /** Contradictions met before it began. */
  contradictions: number
  blockHash: string
  initializedAt: LogPosition
}

/** The first BondingVotes event about an account: its block and the last round initialised then. */
export interface FirstCheckpoint {
  block: number
  round: number
}

/** A stake as recorded, with what tells since when its account is checkpointed. */
export interface RecordedStake extends StakePeriod {
  firstCheckpoint: FirstCheckpoint | null
}

/** Some accounts, at the start of a round or at the end of a block. */
export type Moment = { accounts: Iterable<string> } & ({ round: number } | { block: number })

/** A treasury proposal as recorded. */
export interface TreasuryProposalFacts {
  system: 'TREASURY'
  /** The entity's id. */
  id: string
  proposer: string
  createdAt: LogPosition
  proposalId: bigint
  targets: string[]
  values: bigint[]
  calldatas: string[]
  description: string
  snapshotRound: number
  lastRound: number
  events: TreasuryProposalEvent[]
}

/** What happened to a treasury proposal after its creation. */
export interface TreasuryProposalEvent {
  kind: 'QUEUED' | 'EXECUTED' | 'CANCELED'
  at: LogPosition
}

/** A poll as recorded. */
export interface PollFacts {
  system: 'POLL'
  /** Its address, which is the entity's id too. */
  id: string
  proposer: string
  createdAt: LogPosition
  /** What it was created with: by convention the characters of a CID. */
  proposal: string
  /** L1 block. */
  endBlock: bigint
  /** Parts per 10^6. */
  quorum: bigint
  quota: bigint
  /** Null while no event was indexed after its end. */
  closing: { block: number; round: number; totalStake: bigint; totalActiveStake: bigint; contradictions: number } | null
}

/** An Aragon vote as recorded. Null where nothing tells the figure; percentages are 10^18 = 100 %. */
export interface AragonVoteFacts {
  system: 'ARAGON'
  /** The entity's id. */
  id: string
  /** The Voting app. */
  app: string
  voteId: bigint
  proposer: string
  /** Its time is the start of the vote. */
  createdAt: LogPosition
  metadata: string
  snapshotBlock: number
  /** The voting token. */
  token: string | null
  vault: string | null
  supportRequired: bigint | null
  minAcceptQuorum: bigint | null
  /** Seconds. */
  voteTime: bigint | null
  /** Wei of the voting token. */
  votingPower: bigint | null
  script: string | null
  /** firstLogIndex is where what it did begins in its block. */
  execution: { firstLogIndex: number; at: LogPosition } | null
}

/** Something that left a vault; reference is what Finance says it was for. */
export interface VaultPayment {
  vault: string
  token: string
  to: string
  amount: bigint
  reference: string | null
  at: LogPosition
}

/** What a holder of a voting token has, wei. */
export interface TokenBalanceFacts {
  holder: string
  balance: bigint
}

/** The LPT of a treasury or vault as of now, wei. */
export interface TreasuryFacts {
  address: string
  balance: bigint
  totalIn: bigint
  totalOut: bigint
}

/** LPT into or out of a treasury or vault. */
export interface TreasuryTransferFacts {
  from: string
  to: string
  amount: bigint
  balanceAfter: bigint
  at: LogPosition
}

/** Something a voter sent. */
export interface VoteCastFacts {
  voter: string
  /** The number sent. */
  choice: bigint
  /** False where the number is no choice. */
  valid: boolean
  /** Governor: raw voting power, wei; else null. */
  weight: bigint | null
  reason: string | null
  at: LogPosition
}

/** A quorum numerator of the governor, per 10^6, and the position it was set at. */
export interface QuorumNumerator {
  value: bigint
  round: number
  block: number
}

/** A contradiction as recorded. */
export interface ContradictionFacts {
  message: string
  account: string
  at: LogPosition
}

/** graph-node's copy of one chain's facts: the only I/O of the API. */
export class Subgraph {
  readonly #client: GraphQLClient
  #probe: Promise<unknown> | undefined
  #head: { asked: number; answer: Promise<Head> } | undefined
  #lastHead: Head | undefined
  readonly #pastHeads = new LRUCache<string, Head, () => Promise<Head>>({
    max: 100,
    fetchMethod: (_key, _stale, { context: ask }) => ask(),
  })
  /** What was answered as of a block does not change: who asks for the same at the same block shares the answer. */
  readonly #answers = new LRUCache<string, object, () => Promise<object>>({
    maxSize: KEPT_ENTITIES,
    sizeCalculation: entitiesIn,
    // An answer pushed out while it is fetched is still waited for.
    ignoreFetchAbort: true,
    fetchMethod: (_key, _stale, { context: ask }) => ask(),
  })

  /**
   * Answers as of a moment in the past where one is given, as long as graph-node keeps its history. Each request's
   * seconds and whether it was answered are told to `observe`.
   */
  constructor(
    private readonly network: string,
    url: string,
    private readonly asOf?: { block: number; timestamp?: number },
    private readonly observe: (seconds: number, answered: boolean) => void = () => {},
  ) {
    // Every document has one operation; to look up its name the client would parse it at every request.
    this.#client = new GraphQLClient(url, { excludeOperationName: true })
  }

  /**
   * Everything asked of the result is answered as of one block: the latest indexed when this was called, or that of a
   * pin. BLOCK_REORGED where that block is no longer on the chain, UPSTREAM_UNAVAILABLE where the index has not
   * reached it.
   */
  async pin(pin?: Pin): Promise<PinnedSubgraph> {
    const latest = await this.#latestHead()
    const isLatest = pin === undefined || this.asOf !== undefined || pin.hash === latest.blockHash
    return isLatest ? this.#pinnedAt(latest, atHead(latest)) : this.#pinnedBefore(pin, latest)
  }

  async #pinnedBefore(pin: Pin, latest: Head): Promise<PinnedSubgraph> {
    const { block, hash, timestamp } = pin
    if (block > latest.block) {
      throw new ApiError(
        'UPSTREAM_UNAVAILABLE',
        `The index of ${this.network} is at block ${latest.block} and has not reached ${block}, where this list was begun; try again soon`,
      )
    }
    // Blocks that deep stay on the chain, and graph-node may not know them by their hash any more.
    const at = latest.block - block > FINAL_DEPTH ? { number: block } : { hash }
    const key = `${latest.deployment} ${hash}`
    const head = await this.#pastHeads.forceFetch(key, {
      context: async () => ({ ...(await this.#readHead(at)), block, blockHash: hash, timestamp }),
    })
    return this.#pinnedAt(head, at)
  }

  #pinnedAt(head: Head, at: BlockOf): PinnedSubgraph {
    const place = `${head.deployment} ${JSON.stringify(at)}`
    const request: Request = async <Result extends object, Variables extends object>(
      document: TypedDocumentNode<Result, Variables>,
      variables: Variables,
    ) => {
      const key = `${place} ${textOf(document)} ${JSON.stringify(variables)}`
      const answer = await this.#answers.forceFetch(key, { context: () => this.#requestPage(document, variables) })
      return answer as Result
    }
    return readable(new PinnedSubgraph(head, at, request), this.network)
  }

  /** Requests that ask for the head at the same time share the answer. */
  #latestHead(): Promise<Head> {
    const now = performance.now()
    if (this.#head === undefined || now - this.#head.asked > HEAD_LIFETIME_MS) {
      const head = { asked: now, answer: this.#fetchHead() }
      this.#head = head
      head.answer.catch(() => {
        if (this.#head === head) this.#head = undefined
      })
    }
    return this.#head.answer
  }

  /** The latest head that was told, undefined while none was. */
  get lastHead(): Head | undefined {
    return this.#lastHead
  }

  async #fetchHead(): Promise<Head> {
    this.#lastHead = await this.#readHead(this.asOf === undefined ? null : { number: this.asOf.block })
    return this.#lastHead
  }

  async #readHead(at: BlockOf | null): Promise<Head> {
    try {
      return await this.#askHead(at)
    } catch (error) {
      throw upstreamError(error, this.network)
    }
  }

  async #askHead(at: BlockOf | null): Promise<Head> {
    const { _meta: meta, protocol, transcoderPool } = await this.#request(HeadDocument, { at }, HEAD_TIMEOUT_MS)
    if (!meta || (!meta.block.hash && at === null)) {
      throw new ApiError('UPSTREAM_UNAVAILABLE', `The index of ${this.network} has no block yet; try again soon`)
    }
    return {
      block: meta.block.number,
      blockHash: meta.block.hash ?? null,
      timestamp: this.asOf?.timestamp ?? meta.block.timestamp ?? 0,
      deployment: meta.deployment,
      hasIndexingErrors: meta.hasIndexingErrors,
      firstRound: protocol?.firstRound ?? 0,
      currentRound: protocol?.currentRound ?? 0,
      nextRoundTotalActiveStake: BigInt(protocol?.nextRoundTotalActiveStake ?? 0),
      totalStake: BigInt(protocol?.totalStake ?? 0),
      contradictions: protocol?.contradictions ?? 0,
      l1: transcoderPool ? { streamflowRound: transcoderPool.streamflowRound ?? null } : null,
    }
  }

  /** A page may take long, but not from a graph-node that is dead meanwhile: then it is given up at once. */
  async #requestPage<Result extends object, Variables extends object>(
    document: TypedDocumentNode<Result, Variables>,
    variables: Variables,
  ): Promise<Result> {
    const giveUp = new AbortController()
    const probing = setInterval(() => this.#probeLife().catch(() => giveUp.abort()), PROBE_AFTER_MS)
    try {
      return await this.#request(document, variables, PAGE_TIMEOUT_MS, giveUp)
    } finally {
      clearInterval(probing)
    }
  }

  /** Rejects when graph-node does not tell its latest block; one question for all that wait. */
  #probeLife(): Promise<unknown> {
    this.#probe ??= this.#request(LifeDocument, {}, HEAD_TIMEOUT_MS).finally(() => {
      this.#probe = undefined
    })
    return this.#probe
  }

  async #request<Result, Variables extends object>(
    document: TypedDocumentNode<Result, Variables>,
    variables: Variables,
    milliseconds: number,
    giveUp = new AbortController(),
  ): Promise<Result> {
    const started = performance.now()
    // In two steps: what came while this process was busy is read before the second.
    let timer = setTimeout(() => {
      timer = setTimeout(() => giveUp.abort(), 50)
    }, milliseconds - 50)
    let answered = false
    try {
      const { signal } = giveUp
      const result = await this.#client.request<Result>({ document: textOf(document), variables, signal })
      answered = true
      return result
    } catch (error) {
      throw upstreamError(error, this.network)
    } finally {
      clearTimeout(timer)
      this.observe((performance.now() - started) / 1000, answered)
    }
  }
}

/** An answer of another form than asked for shows as a TypeError or SyntaxError where it is read: upstream's fault too. */
function readable(pinned: PinnedSubgraph, network: string): PinnedSubgraph {
  return new Proxy(pinned, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target)
      if (typeof member !== 'function') return member
      return async (...args: unknown[]) => {
        try {
          return await member.apply(target, args)
        } catch (error) {
          throw upstreamError(error, network)
        }
      }
    },
  })
}

/** How graph-node is told of a block. */
type BlockOf = { number: number } | { hash: string }

function atHead({ block, blockHash }: Head): BlockOf {
  return blockHash === null ? { number: block } : { hash: blockHash }
}

/** Entities in an answer, at least 1: lists in it and what is beside them. */
function entitiesIn(answer: object): number {
  return Object.values(answer).reduce((sum, value) => sum + (Array.isArray(value) ? value.length : 1), 1)
}

/** Documents as text, made once: printing one takes longer than sending it. */
const texts = new WeakMap<object, string>()

function textOf(document: TypedDocumentNode<unknown, never>): string {
  const known = texts.get(document)
  if (known !== undefined) return known
  const text = print(document)
  texts.set(document, text)
  return text
}

type Request = <Result extends object, Variables extends object>(
  document: TypedDocumentNode<Result, Variables>,
  variables: Variables,
) => Promise<Result>

/** The facts as of one block. */
export class PinnedSubgraph {
  constructor(
    readonly head: Head,
    private readonly at: BlockOf,
    private readonly request: Request,
  ) {}

  /** Stake at the start of a round and first checkpoint of up to 1,000 accounts; accounts without either are missing. */
  async stakesOf(
    accounts: readonly string[],
    round: number,
  ): Promise<{ stakes: Map<string, StakePeriod>; checkpoints: Map<string, FirstCheckpoint> }> {
    if (accounts.length === 0) return { stakes: new Map(), checkpoints: new Map() }
    const asked = [...accounts]
    const result = await this.request(StakesOfDocument, { at: this.at, accounts: asked, addresses: asked, round })
    return {
      stakes: byAccount(result.stakePositions.map(stakePeriod)),
      checkpoints: new Map(
        result.accounts.flatMap((account) => {
          const checkpoint = firstCheckpoint(account)
          return checkpoint === null ? [] : [[account.id, checkpoint]]
        }),
      ),
    }
  }

  /** Stake of up to 1,000 accounts at the start of a round; accounts without one are missing. */
  async delegateStakes(accounts: readonly string[], round: number): Promise<Map<string, StakePeriod>> {
    const { stakePositions } = await this.request(DelegateStakesDocument, {
      at: this.at,
      addresses: [...accounts],
      round,
    })
    return byAccount(stakePositions.map(stakePeriod))
  }

  /** The stake of everybody with something bonded at the start of a round, by address. */
  async holders(round: number): Promise<RecordedStake[]> {
    return this.#allPages((after) => this.request(HoldersDocument, { at: this.at, round, after }))
  }

  /** The stake of everybody that has stake delegated to it at the start of a round, by address. */
  async delegates(round: number): Promise<RecordedStake[]> {
    return this.#allPages((after) => this.request(DelegatesDocument, { at: this.at, round, after }))
  }

  /** The stake of everybody who delegates to an account at the start of a round, by address. */
  async delegatorsOf(delegate: string, round: number): Promise<RecordedStake[]> {
    return this.#allPages((after) => this.request(DelegatorsOfDocument, { at: this.at, delegate, round, after }))
  }

  /** The stake of the active set of a round, by address. */
  async activeTranscoders(round: number): Promise<RecordedStake[]> {
    return this.#allPages((after) => this.request(ActiveTranscodersDocument, { at: this.at, round, after }))
  }

  /** Every stake of some accounts that holds at the start of a round from fromRound to toRound, ascending per account. */
  async stakeHistory(
    accounts: readonly string[],
    fromRound: number,
    toRound: number,
  ): Promise<Map<string, RecordedStake[]>> {
    const history = new Map<string, RecordedStake[]>(accounts.map((account) => [account, []]))
    if (accounts.length === 0) return history
    const addresses = [...accounts]
    const stakes = await this.#allPages((after) =>
      this.request(StakeHistoryDocument, { at: this.at, addresses, fromRound, toRound, after }),
    )
    for (const stake of stakes) history.get(stake.account)?.push(stake)
    for (const stakesOfOne of history.values()) stakesOfOne.sort((a, b) => a.fromRound - b.fromRound)
    return history
  }

  /** The first initialised round that is not before `round`; null where there is none yet. */
  async roundFrom(round: number): Promise<RoundFacts | null> {
    const { rounds } = await this.request(RoundFromDocument, { at: this.at, round })
    return rounds[0] === undefined ? null : roundFacts(rounds[0])
  }

  /** Up to `first` initialised rounds after (or, descending, before) a round's number, or from the end of the list. */
  async rounds(first: number, from: number | undefined, descending: boolean): Promise<RoundFacts[]> {
    const direction = descending ? ('desc' as const) : ('asc' as const)
    const after = descending ? -1 : (from ?? -1)
    const before = descending ? (from ?? 2 ** 31 - 1) : 2 ** 31 - 1
    const { rounds } = await this.request(RoundsDocument, { at: this.at, first, after, before, direction })
    return rounds.map(roundFacts)
  }

  /** For each number, the first initialised round that is not before it; missing where there is none yet. */
  async roundsFrom(numbers: Iterable<number>): Promise<Map<number, RoundFacts>> {
    const found = new Map<number, RoundFacts>()
    const asked = [...new Set(numbers)].filter((number) => number <= this.head.currentRound)
    // Rounds that nobody initialised are rare and seldom next to each other: a few numbers on is nearly always enough.
    const reach = 5
    for (let start = 0; start < asked.length; start += UPSTREAM_PAGE / reach) {
      const batch = asked.slice(start, start + UPSTREAM_PAGE / reach)
      const where = { or: batch.map((number) => ({ number_gte: number, number_lt: number + reach })) }
      const { rounds } = await this.request(RoundBranchesDocument, { at: this.at, where })
      for (const number of batch) {
        const round = rounds.find((candidate) => candidate.number >= number && candidate.number < number + reach)
        const facts = round === undefined ? await this.roundFrom(number) : roundFacts(round)
        if (facts !== null) found.set(number, facts)
      }
    }
    return found
  }

  /** For each moment, the stakes of its accounts by address; accounts without one are missing. */
  async stakesAt(moments: readonly Moment[]): Promise<Map<string, RecordedStake>[]> {
    const branches = moments.flatMap((moment): StakesQueryVariables['where'][] => {
      const account_in = [...moment.accounts]
      if (account_in.length === 0) return []
      return 'round' in moment
        ? [{ account_in, fromRound_lte: moment.round, untilRound_gt: moment.round }]
        : [{ account_in, fromBlock_lte: moment.block, untilBlock_gt: moment.block }]
    })
    const found = moments.map(() => new Map<string, RecordedStake>())
    if (branches.length === 0) return found
    const wanted = moments.map((moment) => new Set(moment.accounts))
    const positions = await this.#pages(async (after) => {
      const where = { and: [{ id_gt: after }, { or: branches }] }
      return (await this.request(StakesDocument, { at: this.at, where })).stakePositions
    })
    for (const position of positions) {
      const stake = recordedStake(position)
      for (const [index, moment] of moments.entries()) {
        const holds =
          'round' in moment
            ? position.fromRound <= moment.round && moment.round < position.untilRound
            : position.fromBlock <= moment.block && moment.block < position.untilBlock
        if (holds && wanted[index]?.has(stake.account)) found[index]?.set(stake.account, stake)
      }
    }
    return found
  }

  /** Everything proposed in any voting system, in no order that means anything. */
  async proposals(): Promise<(TreasuryProposalFacts | PollFacts | AragonVoteFacts)[]> {
    const all: (TreasuryProposalFacts | PollFacts | AragonVoteFacts)[] = []
    let [afterTreasury, afterPoll, afterAragon] = [BEFORE_ALL, BEFORE_ALL, BEFORE_ALL]
    for (let more = true; more; ) {
      const page = await this.request(ProposalsDocument, { at: this.at, afterTreasury, afterPoll, afterAragon })
      const { treasuryProposals, polls, aragonVotes } = page
      all.push(
        ...treasuryProposals.map(treasuryProposalFacts),
        ...polls.map(pollFacts),
        ...aragonVotes.map(aragonVoteFacts),
      )
      afterTreasury = treasuryProposals.at(-1)?.id ?? afterTreasury
      afterPoll = polls.at(-1)?.id ?? afterPoll
      afterAragon = aragonVotes.at(-1)?.id ?? afterAragon
      more = [treasuryProposals, polls, aragonVotes].some((list) => list.length === UPSTREAM_PAGE)
    }
    return all
  }

  /** What left vaults in a block, in the order of logs. */
  async payments(block: number): Promise<VaultPayment[]> {
    const { vaultMovements, financeTransactions } = await this.request(PaymentsDocument, { at: this.at, block })
    return vaultMovements.map((movement) => {
      // Finance announces what it pays before the vault does.
      const announced = financeTransactions.findLast(
        (transaction) =>
          transaction.transactionHash === movement.transactionHash &&
          transaction.logIndex < movement.logIndex &&
          transaction.entity === movement.entity &&
          transaction.amount === movement.amount,
      )
      return {
        vault: movement.vault,
        token: movement.token,
        to: movement.entity,
        amount: BigInt(movement.amount),
        reference: announced?.reference || null,
        at: logPosition(movement),
      }
    })
  }

  /** Addresses of the indexed voting tokens. */
  async votingTokens(): Promise<string[]> {
    const { votingTokens } = await this.request(VotingTokensDocument, { at: this.at })
    return votingTokens.map(({ id }) => id)
  }

  /** Everybody's balance of a voting token at the end of a block; the zero address stands for the total supply. */
  async tokenBalances(token: string, block: number): Promise<TokenBalanceFacts[]> {
    const balances = await this.#pages(
      async (after) => (await this.request(TokenBalancesDocument, { at: this.at, token, block, after })).tokenBalances,
    )
    return balances.map(({ holder, balance }) => ({ holder: holder.id, balance: BigInt(balance) }))
  }

  /** The indexed treasuries and vaults. */
  async treasuries(): Promise<TreasuryFacts[]> {
    const { treasuries } = await this.request(TreasuriesDocument, { at: this.at })
    return treasuries.map(({ id, balance, totalIn, totalOut }) => ({
      address: id,
      balance: BigInt(balance),
      totalIn: BigInt(totalIn),
      totalOut: BigInt(totalOut),
    }))
  }

  /** All LPT into and out of a treasury or vault, in the order of logs. */
  async treasuryTransfers(treasury: string): Promise<TreasuryTransferFacts[]> {
    const transfers = await this.#pages(
      async (after) =>
        (await this.request(TreasuryTransfersDocument, { at: this.at, treasury, after })).treasuryTransfers,
    )
    return transfers
      .map((transfer) => ({
        from: transfer.from,
        to: transfer.to,
        amount: BigInt(transfer.amount),
        balanceAfter: BigInt(transfer.balanceAfter),
        at: logPosition(transfer),
      }))
      .sort((a, b) => byPlace(a.at, b.at))
  }

  /** How operations of the timelock ended, by their ids: each at its last log. Those that did not end are missing. */
  async timelockEnds(operations: readonly string[]): Promise<Map<string, TreasuryProposalEvent>> {
    if (operations.length === 0) return new Map()
    const asked = [...operations]
    const logs = await this.#pages(
      async (after) =>
        (await this.request(TimelockEndsDocument, { at: this.at, operations: asked, after })).timelockEvents,
    )
    return new Map(
      logs.sort(byPlace).map((log) => {
        const kind = log.kind === 'CANCELED' ? ('CANCELED' as const) : ('EXECUTED' as const)
        return [log.operation, { kind, at: logPosition(log) }]
      }),
    )
  }

  /**
   * The governor's quorum numerators in the order they were set, where RoundsManager is, and whether the chain's own
   * block numbers end polls, as far as an event while one was open has told.
   */
  async governanceSettings(): Promise<{
    numerators: QuorumNumerator[]
    roundsManager: string | null
    currentRoundTotalActiveStake: bigint
    ownBlocksEndPolls: boolean
  }> {
    const { governorSettingChanges, protocol } = await this.request(GovernanceSettingsDocument, { at: this.at })
    const ordered = governorSettingChanges.toSorted(byPlace)
    return {
      numerators: ordered.map(({ newValue, round, block }) => ({ value: BigInt(newValue), round, block })),
      roundsManager: protocol?.roundsManager ?? null,
      currentRoundTotalActiveStake: BigInt(protocol?.currentRoundTotalActiveStake ?? 0),
      ownBlocksEndPolls: (protocol?.l1BlockAskedAt ?? 0) > 0 && protocol?.l1Block === String(protocol?.l1BlockAskedAt),
    }
  }

  /** All that voters sent on some proposals, by entity id, each in the order of logs. */
  async voteCasts(proposals: readonly string[]): Promise<Map<string, VoteCastFacts[]>> {
    const casts = new Map<string, VoteCastFacts[]>(proposals.map((proposal) => [proposal, []]))
    if (proposals.length === 0) return casts
    const asked = [...proposals]
    const found = await this.#pages(
      async (after) => (await this.request(VoteCastsDocument, { at: this.at, proposals: asked, after })).voteCasts,
    )
    for (const cast of found) {
      casts.get(cast.proposal.id)?.push({
        voter: cast.voter.id,
        choice: BigInt(cast.choice),
        valid: cast.valid,
        weight: bigintOrNull(cast.weight),
        reason: cast.reason ?? null,
        at: logPosition(cast),
      })
    }
    for (const list of casts.values()) list.sort((a, b) => byPlace(a.at, b.at))
    return casts
  }

  /** Entity ids of all proposals an account has a choice on. */
  async proposalsVotedBy(voter: string): Promise<string[]> {
    const votes = await this.#pages(
      async (after) => (await this.request(VotesOfDocument, { at: this.at, voter, after })).votes,
    )
    return votes.map(({ proposal }) => proposal.id)
  }

  /** The first 100 events that contradicted the state. */
  async contradictions(): Promise<ContradictionFacts[]> {
    const { contradictions } = await this.request(ContradictionsDocument, { at: this.at })
    return contradictions.map((contradiction) => ({
      message: contradiction.message,
      account: contradiction.account,
      at: logPosition(contradiction),
    }))
  }

  async #allPages(page: (after: string) => Promise<{ stakePositions: StakeFragment[] }>): Promise<RecordedStake[]> {
    return (await this.#pages(async (after) => (await page(after)).stakePositions)).map(recordedStake)
  }

  /** A whole list, asked in pages by id. */
  async #pages<Item extends { id: string }>(page: (after: string) => Promise<Item[]>): Promise<Item[]> {
    const all: Item[] = []
    for (let after: string | undefined = BEFORE_ALL; after !== undefined; ) {
      const items: Item[] = await page(after)
      all.push(...items)
      after = items.length < UPSTREAM_PAGE ? undefined : items.at(-1)?.id
    }
    return all
  }
}

function recordedStake(position: StakeFragment): RecordedStake {
  return { ...stakePeriod(position), firstCheckpoint: firstCheckpoint(position.account) }
}

function byAccount(stakes: readonly StakePeriod[]): Map<string, StakePeriod> {
  return new Map(stakes.map((stake) => [stake.account, stake]))
}

/** 0x and 40 hex digits: what every id of a position begins with. */
const ADDRESS_LENGTH = 42

function stakePeriod(position: StakeStateFragment): StakePeriod {
  return {
    account: position.id.slice(0, ADDRESS_LENGTH),
    delegate: position.delegate?.id ?? null,
    bondedAmount: BigInt(position.bondedAmount),
    lastClaimRound: position.lastClaimRound,
    startFactor: BigInt(position.startPool?.cumulativeRewardFactor ?? 0),
    delegatedAmount: BigInt(position.delegatedAmount),
    activationRound: position.activationRound,
    deactivationRound: position.deactivationRound,
    inPool: position.inPool,
    lastRewardRound: position.lastRewardRound,
    cumulativeRewardFactor: BigInt(position.cumulativeRewardFactor),
    cumulativeRewards: BigInt(position.cumulativeRewards),
    exact: position.exact,
    fromRound: position.fromRound,
    untilRound: position.untilRound,
  }
}

function firstCheckpoint(account: {
  firstCheckpointBlock?: number | null
  firstCheckpointRound?: number | null
}): FirstCheckpoint | null {
  const { firstCheckpointBlock: block, firstCheckpointRound: round } = account
  return typeof block === 'number' ? { block, round: round ?? 0 } : null
}

function logPosition(log: {
  block: number
  logIndex: number
  timestamp: string
  transactionHash: string
  round: number
}): LogPosition {
  return {
    block: log.block,
    logIndex: log.logIndex,
    timestamp: Number(log.timestamp),
    transactionHash: log.transactionHash,
    round: log.round,
  }
}

/** Orders logs as they stand on the chain. */
function byPlace(a: { block: number; logIndex: number }, b: { block: number; logIndex: number }): number {
  return a.block - b.block || a.logIndex - b.logIndex
}

function treasuryProposalFacts(proposal: TreasuryProposalFactsFragment): TreasuryProposalFacts {
  return {
    system: 'TREASURY',
    id: proposal.id,
    proposer: proposal.proposer.id,
    createdAt: logPosition(proposal),
    proposalId: BigInt(proposal.proposalId),
    targets: proposal.targets,
    values: proposal.values.map(BigInt),
    calldatas: proposal.calldatas,
    description: proposal.description,
    snapshotRound: proposal.snapshotRound,
    lastRound: proposal.lastRound,
    events: proposal.events
      .map((event) => ({ kind: event.kind, at: logPosition(event) }))
      .sort((a, b) => byPlace(a.at, b.at)),
  }
}

function pollFacts(poll: PollFactsFragment): PollFacts {
  return {
    system: 'POLL',
    id: poll.id,
    proposer: poll.proposer.id,
    createdAt: logPosition(poll),
    proposal: poll.proposal,
    endBlock: BigInt(poll.endBlock),
    quorum: BigInt(poll.quorum),
    quota: BigInt(poll.quota),
    closing:
      typeof poll.closingBlock !== 'number'
        ? null
        : {
            block: poll.closingBlock,
            round: poll.closingRound ?? 0,
            totalStake: BigInt(poll.closingTotalStake ?? 0),
            totalActiveStake: BigInt(poll.closingTotalActiveStake ?? 0),
            contradictions: poll.closingContradictions,
          },
  }
}

function aragonVoteFacts(vote: AragonVoteFactsFragment): AragonVoteFacts {
  const { execution } = vote
  return {
    system: 'ARAGON',
    id: vote.id,
    app: vote.app.id,
    voteId: BigInt(vote.voteId),
    proposer: vote.proposer.id,
    createdAt: logPosition(vote),
    metadata: vote.metadata,
    snapshotBlock: vote.snapshotBlock,
    token: vote.app.token?.id ?? null,
    vault: vote.app.vault ?? null,
    supportRequired: bigintOrNull(vote.supportRequired),
    minAcceptQuorum: bigintOrNull(vote.minAcceptQuorum),
    voteTime: bigintOrNull(vote.voteTime),
    votingPower: bigintOrNull(vote.votingPower),
    script: vote.script ?? null,
    execution: execution ? { firstLogIndex: execution.firstLogIndex, at: logPosition(execution) } : null,
  }
}

function bigintOrNull(text: string | null | undefined): bigint | null {
  return text === null || text === undefined ? null : BigInt(text)
}

function roundFacts(round: RoundFactsFragment): RoundFacts {
  return {
    number: round.number,
    totalActiveStake: BigInt(round.totalActiveStake),
    totalStake: BigInt(round.totalStake),
    contradictions: round.contradictions,
    blockHash: round.blockHash,
    initializedAt: logPosition({ ...round, round: round.number }),
  }
}

/** What a client may know of a failed request: never addresses, queries or stack traces of what is behind the API. */
function upstreamError(error: unknown, network: string): ApiError {
  if (error instanceof ApiError) return error
  if (error instanceof ClientError) {
    const messages = (error.response.errors ?? []).map(({ message }) => message).join('\n')
    if (/no block with that hash|reorgani[sz]ed/i.test(messages)) {
      return blockReorged()
    }
  }
  return new ApiError('UPSTREAM_UNAVAILABLE', `The index of ${network} did not answer as expected; try again soon`)
}
