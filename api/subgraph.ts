import type { TypedDocumentNode } from '@graphql-typed-document-node/core'
import { ClientError, GraphQLClient } from 'graphql-request'
import { ApiError } from './errors.ts'
import {
  ActiveTranscodersDocument,
  ContradictionsDocument,
  DelegatorsOfDocument,
  HeadDocument,
  HoldersDocument,
  type RoundFactsFragment,
  RoundFromDocument,
  RoundsDocument,
  type StakeFragment,
  StakeHistoryDocument,
  StakesOfDocument,
} from './generated/queries.ts'
import type { StakePeriod } from './voting-power-history.ts'

/** What graph-node returns at the most for one list. */
const UPSTREAM_PAGE = 1000
/** Long enough for a page of a thousand positions on a busy machine. */
const UPSTREAM_TIMEOUT_MS = 5000
/** Smaller than any id, to page from the beginning. */
const BEFORE_ALL = '0x'

/** Where the index stands, and the protocol's totals there. */
export interface Head {
  block: number
  blockHash: string
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

/** A contradiction as recorded. */
export interface ContradictionFacts {
  message: string
  account: string
  at: LogPosition
}

/** graph-node's copy of one chain's facts: the only I/O of the API. */
export class Subgraph {
  readonly #client: GraphQLClient
  #pending: Promise<Head> | undefined

  constructor(url: string) {
    this.#client = new GraphQLClient(url, {
      fetch: (input, init) => fetch(input, { ...init, signal: AbortSignal.timeout(UPSTREAM_TIMEOUT_MS) }),
    })
  }

  /** Everything asked of the result is answered as of one block: the latest indexed when this was called. */
  async pin(): Promise<PinnedSubgraph> {
    // Requests that come while one asks for the head share its answer.
    this.#pending ??= this.#head().finally(() => {
      this.#pending = undefined
    })
    return new PinnedSubgraph(await this.#pending, (document, variables) => this.#request(document, variables))
  }

  async #head(): Promise<Head> {
    const { _meta: meta, protocol } = await this.#request(HeadDocument, {})
    if (!meta?.block.hash) throw new ApiError('UPSTREAM_UNAVAILABLE', 'The index has no block yet; try again soon')
    return {
      block: meta.block.number,
      blockHash: meta.block.hash,
      timestamp: meta.block.timestamp ?? 0,
      deployment: meta.deployment,
      hasIndexingErrors: meta.hasIndexingErrors,
      firstRound: protocol?.firstRound ?? 0,
      currentRound: protocol?.currentRound ?? 0,
      nextRoundTotalActiveStake: BigInt(protocol?.nextRoundTotalActiveStake ?? 0),
      totalStake: BigInt(protocol?.totalStake ?? 0),
      contradictions: protocol?.contradictions ?? 0,
    }
  }

  async #request<Result, Variables extends object>(
    document: TypedDocumentNode<Result, Variables>,
    variables: Variables,
  ): Promise<Result> {
    try {
      return await this.#client.request<Result>(document, variables)
    } catch (error) {
      throw upstreamError(error)
    }
  }
}

type Request = <Result, Variables extends object>(
  document: TypedDocumentNode<Result, Variables>,
  variables: Variables,
) => Promise<Result>

/** The facts as of one block. */
export class PinnedSubgraph {
  constructor(
    readonly head: Head,
    private readonly request: Request,
  ) {}

  private get at() {
    return { hash: this.head.blockHash }
  }

  /** Stake at the start of a round and first checkpoint of up to 1,000 accounts; accounts without either are missing. */
  async stakesOf(
    accounts: readonly string[],
    round: number,
  ): Promise<{ stakes: Map<string, RecordedStake>; checkpoints: Map<string, FirstCheckpoint> }> {
    if (accounts.length === 0) return { stakes: new Map(), checkpoints: new Map() }
    const asked = [...accounts]
    const result = await this.request(StakesOfDocument, { at: this.at, accounts: asked, addresses: asked, round })
    return {
      stakes: new Map(result.stakePositions.map((position) => [position.account.id, recordedStake(position)])),
      checkpoints: new Map(
        result.accounts.flatMap((account) => {
          const checkpoint = firstCheckpoint(account)
          return checkpoint === null ? [] : [[account.id, checkpoint]]
        }),
      ),
    }
  }

  /** The stake of everybody with something bonded at the start of a round, by address. */
  async holders(round: number): Promise<RecordedStake[]> {
    return this.#allPages((after) => this.request(HoldersDocument, { at: this.at, round, after }))
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

  /** The first 100 events that contradicted the state. */
  async contradictions(): Promise<ContradictionFacts[]> {
    const { contradictions } = await this.request(ContradictionsDocument, { at: this.at })
    return contradictions.map((contradiction) => ({
      message: contradiction.message,
      account: contradiction.account,
      at: { ...logPosition(contradiction), round: contradiction.round },
    }))
  }

  async #allPages(
    page: (after: string) => Promise<{ stakePositions: ({ id: string } & StakeFragment)[] }>,
  ): Promise<RecordedStake[]> {
    const all: RecordedStake[] = []
    for (let after: string | undefined = BEFORE_ALL; after !== undefined; ) {
      const { stakePositions: positions }: Awaited<ReturnType<typeof page>> = await page(after)
      all.push(...positions.map(recordedStake))
      after = positions.length < UPSTREAM_PAGE ? undefined : positions.at(-1)?.id
    }
    return all
  }
}

function recordedStake(position: StakeFragment): RecordedStake {
  return {
    account: position.account.id,
    delegate: position.delegate?.id ?? null,
    bondedAmount: BigInt(position.bondedAmount),
    lastClaimRound: position.lastClaimRound,
    startFactor: BigInt(position.startPool?.cumulativeRewardFactor ?? 0),
    delegatedAmount: BigInt(position.delegatedAmount),
    activationRound: position.activationRound,
    deactivationRound: position.deactivationRound,
    lastRewardRound: position.lastRewardRound,
    cumulativeRewardFactor: BigInt(position.cumulativeRewardFactor),
    cumulativeRewards: BigInt(position.cumulativeRewards),
    exact: position.exact,
    fromRound: position.fromRound,
    untilRound: position.untilRound,
    firstCheckpoint: firstCheckpoint(position.account),
  }
}

function firstCheckpoint(account: {
  firstCheckpointBlock?: number | null
  firstCheckpointRound?: number | null
}): FirstCheckpoint | null {
  const { firstCheckpointBlock: block, firstCheckpointRound: round } = account
  return typeof block === 'number' && typeof round === 'number' ? { block, round } : null
}

function logPosition(log: { block: number; logIndex: number; timestamp: string; transactionHash: string }) {
  return {
    block: log.block,
    logIndex: log.logIndex,
    timestamp: Number(log.timestamp),
    transactionHash: log.transactionHash,
  }
}

function roundFacts(round: RoundFactsFragment): RoundFacts {
  return {
    number: round.number,
    totalActiveStake: BigInt(round.totalActiveStake),
    totalStake: BigInt(round.totalStake),
    contradictions: round.contradictions,
    blockHash: round.blockHash,
    initializedAt: { ...logPosition(round), round: round.number },
  }
}

/** What a client may know of a failed request: never addresses, queries or stack traces of what is behind the API. */
function upstreamError(error: unknown): ApiError {
  if (error instanceof ApiError) return error
  if (error instanceof ClientError) {
    const messages = (error.response.errors ?? []).map(({ message }) => message).join('\n')
    if (/no block with that hash|reorgani[sz]ed/i.test(messages)) {
      return new ApiError('BLOCK_REORGED', 'The block this answer was read at is no longer on the chain; ask again')
    }
  }
  return new ApiError('UPSTREAM_UNAVAILABLE', 'The index did not answer as expected; try again soon')
}
