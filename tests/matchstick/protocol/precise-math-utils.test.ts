import { BigInt } from '@graphprotocol/graph-ts'
import { assert, test } from 'matchstick-as/assembly/index'
import { percOf } from '../../../subgraph/protocol/precise-math-utils'

function expectPart(amount: string, numerator: string, denominator: string, part: string): void {
  assert.bigIntEquals(
    BigInt.fromString(part),
    percOf(BigInt.fromString(amount), BigInt.fromString(numerator), BigInt.fromString(denominator)),
    `${numerator} / ${denominator} of ${amount}`,
  )
}

test('the quotient is rounded down to 27 decimals, then the product', () => {
  expectPart('1000000000000000000', '1', '3', '333333333333333333')
  expectPart('1000000000000000000', '2', '3', '666666666666666666')
  // Multiplied first, it would be 1.
  expectPart('3', '1', '3', '0')
  // And here 24305883351495604533098186245126300818285714285714285714285714285714.
  expectPart(
    '170141183460469231731687303715884105728',
    '1000000000000000000000000000000',
    '7',
    '24305883351495604533098186245126300818285714285714285714139878985605',
  )
})

test('parts of nothing, of all and of more than all', () => {
  expectPart('0', '7', '2', '0')
  expectPart('5', '0', '2', '0')
  expectPart('5', '2', '2', '5')
  expectPart('5', '7', '2', '17')
})

test(
  'a denominator of 0 halts, as the contract reverts',
  () => {
    percOf(BigInt.fromI32(1), BigInt.fromI32(1), BigInt.zero())
  },
  true,
)
