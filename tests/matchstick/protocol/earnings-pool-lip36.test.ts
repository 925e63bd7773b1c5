import { BigInt } from '@graphprotocol/graph-ts'
import { assert, test } from 'matchstick-as/assembly/index'
import { cumulativeRewardFactorAfter, delegatorCumulativeStake } from '../../../subgraph/protocol/earnings-pool-lip36'

const ONE = '1000000000000000000000000000'

function expectFactor(previousFactor: string, rewards: string, totalStake: string, factor: string): void {
  assert.bigIntEquals(
    BigInt.fromString(factor),
    cumulativeRewardFactorAfter(
      BigInt.fromString(previousFactor),
      BigInt.fromString(rewards),
      BigInt.fromString(totalStake),
    ),
    `${rewards} over ${totalStake} after ${previousFactor}`,
  )
}

function expectStake(bondedAmount: string, startFactor: string, endFactor: string, stake: string): void {
  assert.bigIntEquals(
    BigInt.fromString(stake),
    delegatorCumulativeStake(
      BigInt.fromString(bondedAmount),
      BigInt.fromString(startFactor),
      BigInt.fromString(endFactor),
    ),
    `${bondedAmount} from ${startFactor} to ${endFactor}`,
  )
}

test('factors after rewards, as tests/subgraph/every-event.test.json and evicted-transcoder-rewards.test.json have them', () => {
  expectFactor('0', '9641973000000000012', '1340000000000000000341', '1007195502238805970156377860')
  expectFactor(
    '1007195502238805970156377860',
    '14901231000000000017',
    '1343949631484328358556',
    '1018362924357479676402264995',
  )
  expectFactor('0', '1000000000000000001', '10000000000000000000', '1100000000000000000100000000')
  expectFactor(
    '1100000000000000000100000000',
    '2000000000000000002',
    '11000000000000000001',
    '1300000000000000000299999999',
  )
})

test('a pool that nobody wrote to counts as 1', () => {
  expectFactor('0', '1', '3', '1333333333333333333333333333')
  expectFactor(ONE, '1', '3', '1333333333333333333333333333')
  expectStake('1000000000000000000', '0', '1100000000000000000100000000', '1100000000000000000')
  expectStake('1000000000000000000', ONE, '1100000000000000000100000000', '1100000000000000000')
})

test('a reward of nothing, or too small for 27 decimals, leaves the factor', () => {
  expectFactor('0', '0', '5', ONE)
  expectFactor('1007195502238805970156377860', '1', '1000000000000000000000000000000', '1007195502238805970156377860')
})

test('stakes with rewards, as tests/subgraph/every-event.test.json has them claimed', () => {
  expectStake('7000000000000000007', '0', '1007195502238805970156377860', '7050368515671641798')
  expectStake('333000000000000000333', '0', '1007195502238805970156377860', '335396102245522388397')
  expectStake(
    '302396102245522388396',
    '1007195502238805970156377860',
    '1018362924357479676402264995',
    '305748961658924216201',
  )
})

test('where the factor is the same, the stake is to the wei', () => {
  expectStake(
    '7000000000000000007',
    '1007195502238805970156377860',
    '1007195502238805970156377860',
    '7000000000000000007',
  )
  expectStake('7000000000000000007', '0', '0', '7000000000000000007')
  expectStake('7000000000000000007', '0', ONE, '7000000000000000007')
  expectStake('0', '0', '1007195502238805970156377860', '0')
})

test('at the end an unwritten pool counts as 1 too, below any other factor', () => {
  expectStake('1000000000000000000', '1100000000000000000100000000', '0', '909090909090909090')
})
