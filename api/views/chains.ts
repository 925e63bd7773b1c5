import { ApiError } from '../facts/errors.ts'
import type { Facts } from '../facts/facts.ts'
import type { RoundFacts } from '../facts/stake.ts'
import type { ChainView, RoundRange } from './chain-view.ts'

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

  /** The chains that may answer, Ethereum L1 last. */
  #arbitrumFirst(network: string | null | undefined): ChainView[] {
    return this.all(network).toSorted((a, b) => Number(a.range?.isL1 === true) - Number(b.range?.isL1 === true))
  }
}

function isArbitrum({ firstRound, totals }: Facts): boolean {
  return firstRound > 0 && totals.l1 === null
}

function covers(range: RoundRange | null, round: number): boolean {
  return range !== null && range.firstRound > 0 && range.firstRound <= round && round <= range.currentRound + 1
}
