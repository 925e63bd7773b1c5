import { concentration } from '../../api/rules/concentration.ts'
import { allocateTokens, type SeatedStake, type TokenShare } from '../../api/rules/token-allocation.ts'

/** A deal of voting tokens as the page tells it: what was rounded off, who sits and who just does not. */

/** What one transcoder is dealt, and by how it is rounded; wei. */
export interface DealtShare extends TokenShare {
  /** supply · stake / Σ stake, rounded down. */
  floor: bigint
  /** What that left over, of Σ stake: 0 where nothing was rounded. */
  remainder: bigint
  /** Whether it got one of the wei that rounding left. */
  gotOneMore: boolean
}

/** A deal with all there is to tell of it. */
export interface Deal {
  totalStake: bigint
  shares: readonly DealtShare[]
  /** Wei that rounding left to be dealt, one each. */
  left: bigint
  /** Active and not seated, most stake first. */
  unseated: readonly SeatedStake[]
}

/** The deal of a supply, wei, to the active transcoders with most stake, as api/rules deals it. */
export function dealOf(active: readonly SeatedStake[], supply: bigint, seats: number): Deal {
  const { totalStake, shares } = allocateTokens(active, supply, seats)
  const dealt = shares.map((share): DealtShare => {
    const floor = (supply * share.stake) / totalStake
    const remainder = (supply * share.stake) % totalStake
    return { ...share, floor, remainder, gotOneMore: share.tokens > floor }
  })
  const seated = new Set(shares.map(({ transcoder }) => transcoder))
  return {
    totalStake,
    shares: dealt,
    left: BigInt(dealt.filter(({ gotOneMore }) => gotOneMore).length),
    unseated: active
      .filter(({ transcoder, stake }) => stake > 0n && !seated.has(transcoder))
      .toSorted((a, b) => (a.stake === b.stake ? (a.transcoder < b.transcoder ? -1 : 1) : a.stake > b.stake ? -1 : 1)),
  }
}

/** What a number of seats comes to. */
export interface SeatsCase {
  seats: number
  /** How many are seated: no more than are active with stake. */
  seated: number
  /** Stake of the seated. */
  stake: bigint
  largest: bigint
  smallest: bigint
  /** Least number that together have more than half of the tokens. */
  half: number
  gini: string
}

/** The same supply dealt to other numbers of seats, each once, ascending. */
export function seatsCases(active: readonly SeatedStake[], supply: bigint, numbers: readonly number[]): SeatsCase[] {
  return [...new Set(numbers)]
    .sort((a, b) => a - b)
    .map((seats) => {
      const { totalStake, shares } = allocateTokens(active, supply, seats)
      const { nakamoto50, gini } = concentration(
        shares.map(({ tokens }) => tokens),
        null,
      )
      return {
        ...{ seats, seated: shares.length, stake: totalStake, half: nakamoto50, gini },
        largest: shares[0]?.tokens ?? 0n,
        smallest: shares.at(-1)?.tokens ?? 0n,
      }
    })
}

/** Whether what the API dealt is the same, share by share. */
export function isSameDeal(
  deal: Pick<Deal, 'totalStake' | 'shares'>,
  told: {
    totalStake: string
    shares: readonly { transcoder: string; stake: string; tokens: string }[]
  },
): boolean {
  return (
    String(deal.totalStake) === told.totalStake &&
    deal.shares.length === told.shares.length &&
    deal.shares.every(({ transcoder, stake, tokens }, index) => {
      const other = told.shares[index]
      return (
        other !== undefined &&
        other.transcoder === transcoder &&
        other.stake === String(stake) &&
        other.tokens === String(tokens)
      )
    })
  )
}

/** Tokens that somebody wrote, such as '100' or '0.5', in wei; undefined where it is no such number. */
export function weiOfTokens(text: string): bigint | undefined {
  const [, whole = '', fraction = ''] = /^\s*(\d{1,40})(?:\.(\d{0,18}))?\s*$/.exec(text) ?? []
  return whole === '' ? undefined : BigInt(whole) * 10n ** 18n + BigInt(fraction.padEnd(18, '0'))
}

/** Wei as tokens without needless zeros: '100', '0.5'. */
export function tokensText(wei: bigint): string {
  const fraction = String(wei % 10n ** 18n)
    .padStart(18, '0')
    .replace(/0+$/, '')
  return `${wei / 10n ** 18n}${fraction === '' ? '' : `.${fraction}`}`
}
