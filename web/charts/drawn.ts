/** Amounts as lengths: floats, for drawing only. The figure stands beside what is drawn. */

/** Digits that a float keeps. */
const KEPT = 15

/** Wei as tokens. */
export function drawnTokens(wei: bigint): number {
  return Number(wei / 10n ** 12n) / 1e6
}

/** Tokens of an axis as wei again, to be written like any other amount. */
export function weiOf(tokens: number): bigint {
  return BigInt(Math.round(tokens * 1e6)) * 10n ** 12n
}

/** The power of ten that wei are of a token: 0 for one token, -18 for a wei; nothing is that too. */
export function powerOfTen(wei: bigint): number {
  if (wei <= 0n) return -18
  const digits = String(wei)
  const first = digits.slice(0, KEPT)
  return Math.log10(Number(first)) + digits.length - first.length - 18
}

/** A point of a curve of shares: how many, from the largest on, and what part of all they have; 0 to 1. */
export interface SharePoint {
  count: number
  share: number
}

/** Points that are drawn at most. */
const POINTS = 400

/** What the largest n together have of all, for n from none to all; of many some, the first ones all. Largest first. */
export function shareCurve(mostFirst: readonly bigint[]): SharePoint[] {
  const total = mostFirst.reduce((sum, amount) => sum + amount, 0n)
  if (total === 0n) return []
  const step = Math.max(1, Math.ceil(mostFirst.length / POINTS))
  const points: SharePoint[] = [{ count: 0, share: 0 }]
  let sum = 0n
  for (const [index, amount] of mostFirst.entries()) {
    sum += amount
    const count = index + 1
    if (count > POINTS / 4 && count % step !== 0 && count !== mostFirst.length) continue
    points.push({ count, share: Number((sum * 1_000_000n) / total) / 1e6 })
  }
  return points
}
