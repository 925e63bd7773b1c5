import { BigInt } from '@graphprotocol/graph-ts'

/** 10^27, PreciseMathUtils' 100 %: the unit of cumulative factors. */
export const PERC_DIVISOR = BigInt.fromString('1000000000000000000000000000')

/**
 * amount · numerator / denominator as PreciseMathUtils.percOf computes it: the quotient is rounded down to 27 decimals
 * first, the product after that. The denominator must not be 0 (the contract reverts there).
 */
export function percOf(amount: BigInt, numerator: BigInt, denominator: BigInt): BigInt {
  return (amount * ((numerator * PERC_DIVISOR) / denominator)) / PERC_DIVISOR
}
