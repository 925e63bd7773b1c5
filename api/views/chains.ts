import { ApiError } from '../facts/errors.ts'
import type { Facts } from '../facts/facts.ts'
import type { RoundFacts } from '../facts/stake.ts'
import type { ChainView } from './chain-view.ts'

/** A chain with the rounds it can tell of. */
interface RoundRange {
  view: ChainView
  facts: Facts
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

  /** These chains, or only the one named. */
  all(network: string | null | undefined): readonly ChainView[] {
    return network === null || network === undefined ? this.views : [this.named(network)]
  }

  /**
   * The chain whose stake answers for a round. ROUND_NOT_INDEXED and ROUND_IN_FUTURE where no chain knows it; the error
   * of a chain whose facts are not there where it may be that one's.
   */
  forRound(round: number, network?: string | null): ChainView {
    const [only, ...others] = this.all(network)
    if (only !== undefined && others.length === 0) {
      only.factsFor(round)
      return only
    }
    const { ranges, silent } = this.#ranges(round)
    const likely = silent.find(({ view }) => {
      const { state } = view.chain.source
      return !state.isL1 && covers(state, round)
    })
    if (likely !== undefined) throw likely.error
    const found = ranges.find(({ facts }) => covers(facts, round))
    if (found !== undefined) return found.view
    const [firstSilent] = silent
    if (firstSilent !== undefined) throw firstSilent.error
    const [first] = ranges
    if (first === undefined) throw new ApiError('ROUND_NOT_INDEXED', 'No round is indexed yet; try again later')
    const known = ranges
      .map(({ view, facts }) => `${facts.firstRound} to ${facts.currentRound + 1} on ${view.network}`)
      .join(' and ')
    if (ranges.every(({ facts }) => round > facts.currentRound + 1)) {
      throw new ApiError('ROUND_IN_FUTURE', `Round ${round} is yet to come: rounds ${known} can be asked`)
    }
    throw new ApiError('ROUND_NOT_INDEXED', `Round ${round} is not indexed: rounds ${known} can be asked`)
  }

  /** The chain that stands for now: Arbitrum where it is indexed. The error of a chain that may be it and has no facts. */
  forNow(network?: string | null): ChainView {
    const [only, ...others] = this.all(network)
    if (only !== undefined && others.length === 0) return only
    const { ranges, silent } = this.#ranges()
    const [latest] = ranges
    const [firstSilent] = silent
    if (firstSilent !== undefined && (latest === undefined || latest.facts.totals.l1 !== null)) throw firstSilent.error
    const view = latest?.view ?? only
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
    const all = this.all(network).map((view): RoundRange => ({ view, facts: view.facts }))
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

  /**
   * Chains with rounds, those of Arbitrum first, and the errors of those without facts; no more than the first that knows a
   * round, where one is given: others are not to be told of as asked.
   */
  #ranges(round?: number): { ranges: RoundRange[]; silent: { view: ChainView; error: unknown }[] } {
    const ranges: RoundRange[] = []
    const silent: { view: ChainView; error: unknown }[] = []
    const likelyFirst = this.views.toSorted((a, b) => Number(isKnownL1(a)) - Number(isKnownL1(b)))
    for (const view of likelyFirst) {
      try {
        const { facts } = view
        if (facts.firstRound > 0) ranges.push({ view, facts })
        if (round !== undefined && isArbitrum(facts) && covers(facts, round)) break
      } catch (error) {
        silent.push({ view, error })
      }
    }
    ranges.sort((a, b) => Number(!isArbitrum(a.facts)) - Number(!isArbitrum(b.facts)))
    return { ranges, silent }
  }
}

/** Whether a chain is known to be Ethereum L1, without asking anything of it. */
function isKnownL1(view: ChainView): boolean {
  return view.chain.source.state.isL1
}

function isArbitrum({ firstRound, totals }: Facts): boolean {
  return firstRound > 0 && totals.l1 === null
}

function covers({ firstRound, currentRound }: Pick<Facts, 'firstRound' | 'currentRound'>, round: number): boolean {
  return firstRound > 0 && firstRound <= round && round <= currentRound + 1
}
