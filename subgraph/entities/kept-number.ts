import { BigInt } from '@graphprotocol/graph-ts'

const LARGEST = BigInt.fromI32(i32.MAX_VALUE)

/**
 * A round, a part or a count that a contract told, which a vote or other code behind its proxy can make anything of 256
 * bits: 2147483647 stands for all that is beyond it, as toI32() would halt the index.
 */
export function keptNumber(number: BigInt): i32 {
  return number > LARGEST ? i32.MAX_VALUE : number.toI32()
}
