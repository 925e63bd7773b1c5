import { ApiError } from '../facts/errors.ts'
import type { Facts } from '../facts/facts.ts'
import type { RoundFacts } from '../facts/stake.ts'
import type { ChainView, RoundRange } from './chain-view.ts'
import type { StakeView } from './stake-view.ts'

/** What of a moment a client gives: a round's number or a block's, of the chain named. */
export interface AskedMoment {
  round?: number | null | undefined
  block?: bigint | null | undefined
  network?: string | null | undefined
}

/**
 * The chains one request sees, and which of them a round belongs to: rounds number on from Ethereum L1 to Arbitrum. Where
 * both know a round, Arbitrum's answers, unless a network is named.
 */
export class Chains {
  constructor(readonly views: readonly ChainView[]) {}

  /** The chain of this name; BAD_USER_INPUT where there is none. */
  named(network: string): ChainView {
    const view = this.views.find((candidate) => candidate.network === network)
    if (view !== undefined) return view
    const names = this.views.map((candidate) => candidate.network).join(', ')
    throw new ApiError('BAD_USER_INPUT', `No network ${JSON.stringify(network)} is indexed here; there are: ${names}`)
  }

  /** Only those with a chain id, given in decimal: recordings may share one; BAD_USER_INPUT where there is none. */
  withChainId(chainId: string): Chains {
    const views = this.views.filter((view) => view.chainId !== undefined && String(view.chainId) === chainId)
    if (views.length > 0) return new Chains(views)
    const ids = new Set(this.views.flatMap((view) => (view.chainId === undefined ? [] : [view.chainId])))
    const known = [...ids].join(', ') || 'none is known'
    throw new ApiError('BAD_USER_INPUT', `No chain with the id ${chainId} is indexed here; there are: ${known}`)
  }

  /** These chains, or only the one named. */
  all(network: string | null | undefined): readonly ChainView[] {
    return network === null || network === undefined ? this.views : [this.named(network)]
  }

  /**
   * The chain whose stake answers for a round. ROUND_NOT_INDEXED and ROUND_IN_FUTURE where no chain knows it; the error
   * of a chain whose facts are not there where it may be that one's.
   */
  forRound(round: number, network?: string | null): ChainView {
    const views = this.#arbitrumFirst(network)
    const found = views.find((view) => covers(view.range, round)) ?? views.find(({ range }) => range === null)
    const [first, ...others] = views
    // Which rounds a chain has, or why it does not tell, it says itself.
    const told = found ?? (others.length === 0 ? first : undefined)
    if (told !== undefined) {
      told.factsFor(round)
      return told
    }
    const ranges = views.flatMap(({ network: name, range }) => (range?.firstRound ? [{ name, ...range }] : []))
    if (ranges.length === 0) throw new ApiError('ROUND_NOT_INDEXED', 'No round is indexed yet; try again later')
    const known = ranges
      .map(({ name, firstRound, currentRound }) => `${firstRound} to ${currentRound + 1} on ${name}`)
      .join(' and ')
    if (ranges.every(({ currentRound }) => round > currentRound + 1)) {
      throw new ApiError('ROUND_IN_FUTURE', `Round ${round} is yet to come: rounds ${known} can be asked`)
    }
    throw new ApiError('ROUND_NOT_INDEXED', `Round ${round} is not indexed: rounds ${known} can be asked`)
  }

  /** The chain that stands for now: Arbitrum where it is indexed. The error of a chain that may be it and has no facts. */
  forNow(network?: string | null): ChainView {
    const views = this.#arbitrumFirst(network)
    const withRounds = views.filter(({ range }) => range?.firstRound)
    const latest = withRounds.find(({ range }) => range?.isL1 === false)
    const view = latest ?? views.find(({ range }) => range === null) ?? withRounds[0] ?? views[0]
    if (view === undefined) throw new ApiError('UPSTREAM_UNAVAILABLE', 'No chain is indexed here')
    return view
  }

  /**
   * Everybody's stake at the start of a round or at the end of a block. BAD_USER_INPUT unless exactly one of them is given;
   * else errors as forRound, and as ChainView.atBlock: a block's number says nothing of its chain, so that it is one of the
   * chain that stands for now, unless a network is named.
   */
  async at(asked: AskedMoment): Promise<StakeView> {
    const { round, block, network } = asked
    if (isGiven(block) && !isGiven(round)) return this.forNow(network).atBlock(block)
    if (isGiven(round) && !isGiven(block)) return this.forRound(round, network).atRound(round)
    throw new ApiError('BAD_USER_INPUT', `${isGiven(round) ? 'Both' : 'Neither'} round and block given; ${EXACTLY_ONE}`)
  }

  /** The same, as things stand now where neither is given. */
  async atOrNow(asked: AskedMoment): Promise<StakeView> {
    if (isGiven(asked.round) || isGiven(asked.block)) return this.at(asked)
    const view = this.forNow(asked.network)
    return view.atRound(view.nextRound)
  }

  /**
   * The last initialised round begun by the end of a block or by a time, unix seconds; null before the first. A time finds
   * its chain: Arbitrum's from its first round on. BLOCK_IN_FUTURE beyond the indexed head, UPSTREAM_UNAVAILABLE where that
   * one's time is not known.
   */
  lastRoundBy(
    by: { block: bigint } | { time: number },
    network: string | null | undefined,
  ): { round: RoundFacts; view: ChainView; isFinal: boolean; isSettled: boolean } | null {
    const views = 'block' in by ? [this.forNow(network)] : this.#arbitrumFirst(network)
    for (const view of views) {
      const { facts } = view
      const { rounds } = facts.stake
      const place = rounds.findLastIndex(({ block, initializedAt }) =>
        'block' in by ? BigInt(block) <= by.block : initializedAt.timestamp <= by.time,
      )
      const [round, next] = [rounds[place], rounds[place + 1]]
      if (round === undefined) continue
      refuseFuture(facts, by)
      const upTo = 'block' in by ? Number(by.block) : (next?.block ?? Infinity)
      const isFinal = upTo <= facts.mark
      return { round, view, isFinal, isSettled: isFinal }
    }
    return null
  }

  /**
   * Up to `first` initialised rounds after (or, descending, before) a round's number, or from the end of the list: those
   * of all chains, each once, or of the one named; and whether there are more. The error of any chain without facts.
   */
  rounds(
    first: number,
    from: number | undefined,
    descending: boolean,
    network?: string | null,
  ): { rounds: (RoundFacts & { view: ChainView })[]; hasMore: boolean } {
    const all = this.all(network).map((view) => ({ view, facts: view.facts }))
    const arbitrum = all.filter(({ facts }) => isArbitrum(facts))
    const firstOfArbitrum = Math.min(...arbitrum.map(({ facts }) => facts.firstRound))
    const byNumber = new Map<number, RoundFacts & { view: ChainView }>()
    for (const { view, facts } of all) {
      const end = isArbitrum(facts) ? Infinity : firstOfArbitrum
      const start = descending && end !== Infinity ? Math.min(from ?? end, end) : from
      for (const round of facts.stake.roundsFrom(first, start, descending)) {
        if (round.number < end && !byNumber.has(round.number)) byNumber.set(round.number, { ...round, view })
      }
    }
    const rounds = [...byNumber.values()]
      .sort((a, b) => (descending ? b.number - a.number : a.number - b.number))
      .slice(0, first)
    const known = all.map(({ facts }) => facts).filter(({ firstRound }) => firstRound > 0)
    const lasts = (arbitrum.length > 0 ? arbitrum.map(({ facts }) => facts) : known).map((facts) => facts.currentRound)
    const end = descending ? Math.min(...known.map(({ firstRound }) => firstRound)) : Math.max(...lasts)
    const last = rounds.at(-1)
    return { rounds, hasMore: last !== undefined && last.number !== end }
  }

  /** The chains that may answer: Ethereum L1 last, and before it those that do not tell which they are. */
  #arbitrumFirst(network: string | null | undefined): ChainView[] {
    const place = ({ range }: ChainView) => (range === null ? 1 : range.isL1 ? 2 : 0)
    return this.all(network).toSorted((a, b) => place(a) - place(b))
  }
}

/** What is yet to come at the indexed head cannot be told. */
function refuseFuture({ head: { block, timestamp } }: Facts, by: { block: bigint } | { time: number }): void {
  if ('block' in by) {
    if (by.block <= BigInt(block)) return
    throw new ApiError('BLOCK_IN_FUTURE', `Block ${by.block} is not indexed yet: blocks up to ${block} can be asked`)
  }
  if (timestamp === null) throw new ApiError('UPSTREAM_UNAVAILABLE', 'The time of the indexed block is not known yet')
  if (by.time <= timestamp) return
  const until = new Date(timestamp * 1000).toISOString()
  throw new ApiError('BLOCK_IN_FUTURE', `No block of that time is indexed yet: times up to ${until} can be asked`)
}

function isArbitrum({ firstRound, totals }: Facts): boolean {
  return firstRound > 0 && totals.l1 === null
}

const EXACTLY_ONE = 'give exactly one of them: round for its start, block for its end'

function isGiven<Value>(value: Value | null | undefined): value is Value {
  return value !== null && value !== undefined
}

function covers(range: RoundRange | null, round: number): boolean {
  return range !== null && range.firstRound > 0 && range.firstRound <= round && round <= range.currentRound + 1
}
