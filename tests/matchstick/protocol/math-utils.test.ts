import { BigInt } from '@graphprotocol/graph-ts'
import { assert, test } from 'matchstick-as/assembly/index'
import { percOf } from '../../../subgraph/protocol/math-utils'

function expectPart(amount: string, ratePerMillion: i32, part: string): void {
  assert.bigIntEquals(
    BigInt.fromString(part),
    percOf(BigInt.fromString(amount), ratePerMillion),
    `${ratePerMillion} of ${amount}`,
  )
}

test('commissions of rewards, as tests/subgraph/every-event.test.json has them', () => {
  expectPart('11000000000000000013', 123457, '1358027000000000001')
  expectPart('17000000000000000019', 123457, '2098769000000000002')
})

test('nothing, all, and what is rounded down', () => {
  expectPart('11000000000000000013', 0, '0')
  expectPart('11000000000000000013', 1_000_000, '11000000000000000013')
  expectPart('0', 123457, '0')
  expectPart('9', 111_111, '0')
  expectPart('9', 111_112, '1')
})

test('of an amount beyond any number of 128 bits', () => {
  expectPart(
    '1606938044258990275541962092341162602522202993782792835301376',
    999_999,
    '1606936437320946016551686550379070261359600471579799052508540',
  )
})
