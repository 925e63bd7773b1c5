/** Which rounds can be asked, of which chains. */

/** A chain as `status` tells of it. */
export interface ChainRounds {
  network: string
  firstRound: number | null
  round: number | null
}

/** Rounds from the first to that which answers as things stand now. */
export interface RoundSpan {
  first: number
  /** The last initialised round + 1. */
  last: number
  /** The chain of the latest rounds. */
  network: string
  /** Where the rounds of another chain end and those of this one begin; undefined where one chain has all. */
  border: { at: number; before: string } | undefined
}

/**
 * The rounds that a slider goes over: of the chain named, else of all, which number on from Ethereum L1 to Arbitrum. The
 * latest initialised round tells which of them is the later one. Undefined while no chain has a round.
 */
export function spanOf(
  chains: readonly ChainRounds[],
  latestNetwork: string | undefined,
  named: string | undefined,
): RoundSpan | undefined {
  const withRounds = chains.flatMap(({ network, firstRound, round }) =>
    firstRound === null || round === null ? [] : [{ network, firstRound, round }],
  )
  const own = withRounds.find(({ network }) => network === (named ?? latestNetwork))
  if (own === undefined) return undefined
  const { network, firstRound, round } = own
  const earlier = named === undefined ? withRounds.filter((other) => other.firstRound < firstRound) : []
  const [before] = [...earlier].sort((a, b) => a.firstRound - b.firstRound)
  return {
    first: before?.firstRound ?? firstRound,
    last: round + 1,
    network,
    border: before === undefined ? undefined : { at: firstRound, before: before.network },
  }
}

/** The chain that a round of the span is of. */
export function networkAt({ network, border }: RoundSpan, round: number): string {
  return border !== undefined && round < border.at ? border.before : network
}

/** Runs of rounds within the span that are not among the initialised ones, which ascend: [from, to], inclusive. */
export function gapsOf(
  initialised: readonly number[],
  { first, last }: Pick<RoundSpan, 'first' | 'last'>,
): [number, number][] {
  const gaps: [number, number][] = []
  let next = first
  for (const round of initialised) {
    if (round < first || round >= last) continue
    if (round > next) gaps.push([next, round - 1])
    next = round + 1
  }
  // The last of the span is that to come: nobody could have initialised it.
  if (next < last) gaps.push([next, last - 1])
  return gaps
}
