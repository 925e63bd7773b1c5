// How few hold how much, exact in integers before the last division. Pure.

/** How unevenly some amounts are spread; see Concentration in schema.graphql for each field. */
export interface Concentration {
  count: number
  total: bigint
  nakamoto33: number
  nakamoto50: number
  /** Null where there is no quorum, or all together do not reach it. */
  nakamotoQuorum: number | null
  gini: string
  top1: string
  top5: string
  top10: string
}

/** What a part of 1 is told in: six decimals. */
const MILLION = 1_000_000n

/** The concentration of some amounts, none of them negative, and of a quorum, null where there is none. Zeros of nothing. */
export function concentration(amounts: readonly bigint[], quorum: bigint | null): Concentration {
  return concentrationInOrder(
    amounts.toSorted((a, b) => (a === b ? 0 : a > b ? -1 : 1)),
    quorum,
  )
}

/** The same of amounts that are sorted already, the most first. */
export function concentrationInOrder(mostFirst: readonly bigint[], quorum: bigint | null): Concentration {
  const total = sumOf(mostFirst)
  const least = (isEnough: (sum: bigint) => boolean) => (total === 0n ? 0 : leastThat(mostFirst, isEnough))
  const top = (count: number) => part(sumOf(mostFirst.slice(0, count)), total)
  return {
    count: mostFirst.length,
    total,
    nakamoto33: least((sum) => sum * 3n > total) ?? 0,
    nakamoto50: least((sum) => sum * 2n > total) ?? 0,
    nakamotoQuorum: quorum === null || quorum > total ? null : leastThat(mostFirst, (sum) => sum >= quorum),
    gini: gini(mostFirst, total),
    top1: top(1),
    top5: top(5),
    top10: top(10),
  }
}

/** How many, from the first, together are enough; null where all are not. */
function leastThat(mostFirst: readonly bigint[], isEnough: (sum: bigint) => boolean): number | null {
  let sum = 0n
  if (isEnough(sum)) return 0
  for (const [index, amount] of mostFirst.entries()) {
    sum += amount
    if (isEnough(sum)) return index + 1
  }
  return null
}

/**
 * Of n amounts x sorted ascending Σ (2i − n − 1) x_i / (n Σ x): 0 where all have the same. With the sums P_k of the first k
 * of those sorted descending, which take additions only, that is (2 Σ P_k − (n + 1) Σ x) / (n Σ x).
 */
function gini(mostFirst: readonly bigint[], total: bigint): string {
  const count = BigInt(mostFirst.length)
  let sum = 0n
  let sums = 0n
  for (const amount of mostFirst) {
    sum += amount
    sums += sum
  }
  return part(2n * sums - (count + 1n) * total, count * total)
}

function sumOf(amounts: readonly bigint[]): bigint {
  return amounts.reduce((sum, amount) => sum + amount, 0n)
}

/** A part of a whole, neither negative, as 0 to 1 with six decimals, rounded down; of nothing 0. */
function part(amount: bigint, whole: bigint): string {
  const millionths = whole === 0n ? 0n : (amount * MILLION) / whole
  return `${millionths / MILLION}.${String(millionths % MILLION).padStart(6, '0')}`
}
