// Deals voting tokens to transcoders by stake, as the TranscoderDAO was to be set up. Pure.

/** A transcoder and its stake, wei. */
export interface SeatedStake {
  transcoder: string
  stake: bigint
}

/** What a transcoder is dealt; wei of LPT and of the token. */
export interface TokenShare extends SeatedStake {
  tokens: bigint
}

/** The whole deal. */
export interface TokenAllocation {
  /** Σ stake of the seated, wei; 0 where nobody with stake is seated. */
  totalStake: bigint
  /** By stake descending, then lower address. */
  shares: TokenShare[]
}

/**
 * Seats the transcoders with most stake, ties at the cut by lower address, and deals supply, wei of the token, to them in
 * proportion: supply · stake / Σ stake rounded down, then one wei more to each of the largest remainders, equal ones to
 * the lower address first, so that the sum is exactly the supply. No shares where nobody with stake is seated.
 */
export function allocateTokens(transcoders: readonly SeatedStake[], supply: bigint, seats: number): TokenAllocation {
  const seated = transcoders
    .filter(({ stake }) => stake > 0n)
    .toSorted(byStake)
    .slice(0, seats)
  const totalStake = seated.reduce((sum, { stake }) => sum + stake, 0n)
  const shares = seated.map((seat) => ({ ...seat, tokens: (supply * seat.stake) / totalStake }))
  const remainder = ({ stake }: SeatedStake) => (supply * stake) % totalStake
  const dealt = shares.reduce((sum, { tokens }) => sum + tokens, 0n)
  const byRemainder = shares.toSorted((a, b) => compare(remainder(b), remainder(a)) || byAddress(a, b))
  for (const share of byRemainder.slice(0, Number(supply - dealt))) share.tokens += 1n
  return { totalStake, shares }
}

function byStake(a: SeatedStake, b: SeatedStake): number {
  return compare(b.stake, a.stake) || byAddress(a, b)
}

function byAddress(a: SeatedStake, b: SeatedStake): number {
  return a.transcoder < b.transcoder ? -1 : a.transcoder > b.transcoder ? 1 : 0
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0
}
