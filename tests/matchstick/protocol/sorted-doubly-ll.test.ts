import { BigInt } from '@graphprotocol/graph-ts'
import { assert, test } from 'matchstick-as/assembly/index'
import { insertPosition } from '../../../subgraph/protocol/sorted-doubly-ll'

function expectPosition(keys: string[], key: string, position: i32): void {
  const list: BigInt[] = []
  for (let i = 0; i < keys.length; i++) list.push(BigInt.fromString(keys[i]))
  assert.i32Equals(position, insertPosition(list, BigInt.fromString(key)), `${key} into ${keys.join(' ')}`)
}

test('among equal stakes the one changed last stands first, as in tests/subgraph/l1-v1-pool-order.test.json', () => {
  expectPosition(['100000000000000000000'], '100000000000000000000', 0)
  expectPosition(['101000000000000000000', '100000000000000000000'], '100000000000000000000', 1)
  expectPosition(['100000000000000000000', '100000000000000000000'], '101000000000000000000', 0)
})

test('to the wei, at either end and into an empty pool', () => {
  expectPosition([], '5', 0)
  expectPosition(['100000000000000000000', '7', '0'], '100000000000000000001', 0)
  expectPosition(['100000000000000000000', '7', '0'], '99999999999999999999', 1)
  expectPosition(['100000000000000000000', '7', '0'], '6', 2)
  expectPosition(['100000000000000000000', '7', '0'], '0', 2)
  expectPosition(['100000000000000000000', '7', '1'], '0', 3)
})
