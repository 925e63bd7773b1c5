import { ApiError } from '../facts/errors.ts'
import type { Head, RoundFacts } from '../facts/subgraph.ts'
import type { Pin } from '../graphql/cursors.ts'
import type { ChainView } from './chain-view.ts'

/** A chain with the rounds it can tell of. */
interface RoundRange {
  view: ChainView
  head: Head
}

/**
 * The chains one request sees, and which of them a round belongs to: rounds number on from Ethereum L1 to Arbitrum. Where
 * both know a round, Arbitrum's answers, unless a network is named.
 */
export class Chains {
  constructor(readonly views: readonly ChainView[]) {}

  /** Where the chains that were asked are read, as far as their blocks have hashes: what a cursor goes on from. */
  async pins(): Promise<Pin[]> {
    const asked = this.views.filter(({ isAsked }) => isAsked)
    const heads = await Promise.allSettled(asked.map((view) => view.pinned()))
    return asked.flatMap(({ chain: { network } }, index) => {
      const answer = heads[index]
      if (answer?.status !== 'fulfilled') return []
      const { block, blockHash, timestamp } = answer.value.head
      return blockHash === null ? [] : [{ network, block, hash: blockHash, timestamp }]
    })
  }

  /** The chain of this name; BAD_USER_INPUT where there is none. */
  named(network: string): ChainView {
    const view = this.views.find(({ chain }) => chain.network === network)
    if (view !== undefined) return view
    const names = this.views.map(({ chain }) => chain.network).join(', ')
    throw new ApiError('BAD_USER_INPUT', `No network ${JSON.stringify(network)} is indexed here; there are: ${names}`)
  }

  /** These chains, or only the one named. */
  all(network: string | null | undefined): readonly ChainView[] {
    return network === null || network === undefined ? this.views : [this.named(network)]
  }

  /**
   * The chain whose stake answers for a round. ROUND_NOT_INDEXED and ROUND_IN_FUTURE where no chain knows it; the error
   * of a chain that does not answer where it may be that one's.
   */
  async forRound(round: number, network?: string | null): Promise<ChainView> {
    const [only, ...others] = this.all(network)
    if (only !== undefined && others.length === 0) {
      await only.pinnedFor(round)
      return only
    }
    const arbitrum = await this.#knownArbitrum(round)
    if (arbitrum !== undefined) return arbitrum
    const { ranges, silent } = await this.#ranges()
    const found = ranges.find(({ head }) => covers(head, round))
    if (found !== undefined) return found.view
    const [firstSilent] = silent
    if (firstSilent !== undefined) throw firstSilent.error
    const [first] = ranges
    if (first === undefined) throw new ApiError('ROUND_NOT_INDEXED', 'No round is indexed yet; try again later')
    const known = ranges
      .map(({ view, head }) => `${head.firstRound} to ${head.currentRound + 1} on ${view.chain.network}`)
      .join(' and ')
    if (ranges.every(({ head }) => round > head.currentRound + 1)) {
      throw new ApiError('ROUND_IN_FUTURE', `Round ${round} is yet to come: rounds ${known} can be asked`)
    }
    throw new ApiError('ROUND_NOT_INDEXED', `Round ${round} is not indexed: rounds ${known} can be asked`)
  }

  /** The chain that stands for now: Arbitrum where it is indexed. The error of a chain that does not answer and may be it. */
  async forNow(network?: string | null): Promise<ChainView> {
    const [only, ...others] = this.all(network)
    if (only !== undefined && others.length === 0) return only
    const known = this.views.find((view) => isArbitrum(view.chain.subgraph.lastHead))
    if (known !== undefined) return known
    const { ranges, silent } = await this.#ranges()
    const [latest] = ranges
    const silentOne = silent.find(({ view }) => view.chain.subgraph.lastHead === undefined)
    if (silentOne !== undefined && latest?.head.l1 !== null) throw silentOne.error
    const view = latest?.view ?? only
    if (view === undefined) throw new ApiError('UPSTREAM_UNAVAILABLE', 'No chain is indexed here')
    return view
  }

  /**
   * Up to `first` initialised rounds after (or, descending, before) a round's number, or from the end of the list: those
   * of all chains, each once, or of the one named; and whether there are more. The error of any chain that does not
   * answer.
   */
  async rounds(
    first: number,
    from: number | undefined,
    descending: boolean,
    network?: string | null,
  ): Promise<{ rounds: (RoundFacts & { view: ChainView })[]; hasMore: boolean }> {
    const views = this.all(network)
    const pinned = await Promise.all(views.map((view) => view.pinned()))
    const arbitrum = pinned.filter(({ head }) => head.l1 === null && head.firstRound > 0)
    const firstOfArbitrum = Math.min(...arbitrum.map(({ head }) => head.firstRound))
    const perChain = await Promise.all(
      pinned.map(async (facts, index) => {
        const end = facts.head.l1 === null ? Infinity : firstOfArbitrum
        const start = descending && end !== Infinity ? Math.min(from ?? end, end) : from
        const rounds = await facts.rounds(first, start, descending)
        return rounds.flatMap((round) => {
          const view = views[index]
          return view === undefined || round.number >= end ? [] : [{ ...round, view }]
        })
      }),
    )
    const byNumber = new Map<number, RoundFacts & { view: ChainView }>()
    for (const round of perChain.flat()) if (!byNumber.has(round.number)) byNumber.set(round.number, round)
    const rounds = [...byNumber.values()]
      .sort((a, b) => (descending ? b.number - a.number : a.number - b.number))
      .slice(0, first)
    const heads = pinned.map(({ head }) => head).filter(({ firstRound }) => firstRound > 0)
    const lasts = (arbitrum.length > 0 ? arbitrum.map(({ head }) => head) : heads).map(
      ({ currentRound }) => currentRound,
    )
    const end = descending ? Math.min(...heads.map(({ firstRound }) => firstRound)) : Math.max(...lasts)
    const last = rounds.at(-1)
    return { rounds, hasMore: last !== undefined && last.number !== end }
  }

  /** A chain known to be Arbitrum that has a round, so that no other need be asked; its error where it does not answer. */
  async #knownArbitrum(round: number): Promise<ChainView | undefined> {
    for (const view of this.views) {
      const known = view.chain.subgraph.lastHead
      if (!isArbitrum(known)) continue
      try {
        if (covers((await view.pinned()).head, round)) return view
      } catch (error) {
        if (covers(known, round)) throw error
      }
    }
    return undefined
  }

  /** Chains with rounds, those of Arbitrum first; and those that do not answer. */
  async #ranges(): Promise<{ ranges: RoundRange[]; silent: { view: ChainView; error: unknown }[] }> {
    const asked = await Promise.allSettled(this.views.map((view) => view.pinned()))
    const ranges: RoundRange[] = []
    const silent: { view: ChainView; error: unknown }[] = []
    for (const [index, view] of this.views.entries()) {
      const answer = asked[index]
      if (answer?.status === 'rejected') silent.push({ view, error: answer.reason })
      else if (answer !== undefined && answer.value.head.firstRound > 0) ranges.push({ view, head: answer.value.head })
    }
    ranges.sort((a, b) => Number(a.head.l1 !== null) - Number(b.head.l1 !== null))
    return { ranges, silent }
  }
}

function isArbitrum(head: Head | undefined): head is Head {
  return head !== undefined && head.firstRound > 0 && head.l1 === null
}

function covers({ firstRound, currentRound }: Head, round: number): boolean {
  return firstRound > 0 && firstRound <= round && round <= currentRound + 1
}
