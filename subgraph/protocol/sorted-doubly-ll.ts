import { BigInt } from '@graphprotocol/graph-ts'

/**
 * Where a list of keys that never grow takes a new one: before the first that is not larger, so that among equals the
 * last one inserted stands first (SortedDoublyLL.insert without a hint).
 */
export function insertPosition(keys: BigInt[], key: BigInt): i32 {
  for (let i = 0; i < keys.length; i++) {
    if (keys[i] <= key) return i
  }
  return keys.length
}
