import { BigInt } from '@graphprotocol/graph-ts'

/** 10^6, MathUtils' 100 %. */
export const PERC_DIVISOR = BigInt.fromI32(1_000_000)

/** The part of an amount that a rate per 10^6 gives, rounded down (MathUtils.percOf). */
export function percOf(amount: BigInt, ratePerMillion: i32): BigInt {
  return (amount * BigInt.fromI32(ratePerMillion)) / PERC_DIVISOR
}
