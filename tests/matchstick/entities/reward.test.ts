import { BigInt, Bytes, ethereum } from '@graphprotocol/graph-ts'
import { afterEach, assert, clearStore, test } from 'matchstick-as/assembly/index'
import { checkClaim, claimEarnings, shareReward } from '../../../subgraph/entities/earnings'
import { getOrCreateProtocol } from '../../../subgraph/entities/protocol'
import { newReward } from '../../../subgraph/entities/reward'
import { saveAs } from '../../../subgraph/entities/saving'
import { StakePositions } from '../../../subgraph/entities/stake-positions'
import { commissionOf, getOrCreateTranscoder } from '../../../subgraph/entities/transcoder'
import { Protocol } from '../../../subgraph/generated/schema'
import { placedEvent } from '../placed-event'

// The figures are those of tests/subgraph/every-event.test.json, where graph-node runs the whole handler.
const BONDING_MANAGER = '0x35bcf3c30594191d53231e4ff333e8a770453e40'
const TRANSCODER = '0x1111111111111111111111111111111111111111'
const DELEGATOR = '0xbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb'
const TRANSACTION = '0x0000000000000000000000000000000700000000000000000000000000000007'
const BLOCK = 140_000_005
const REWARD = '11000000000000000013'
const COMMISSION = '1358027000000000001'
const TOTAL_STAKE = '1340000000000000000341'
const FACTOR = '1007195502238805970156377860'

afterEach(() => {
  clearStore()
})

function event(): ethereum.Event {
  return placedEvent<ethereum.Event>(BONDING_MANAGER, TRANSACTION, BLOCK, 1, [])
}

function protocolInRound(round: i32): Protocol {
  const protocol = getOrCreateProtocol()
  protocol.currentRound = round
  protocol.save()
  return protocol
}

function bytes(hex: string): Bytes {
  return Bytes.fromHexString(hex)
}

function amount(wei: string): BigInt {
  return BigInt.fromString(wei)
}

test('a transcoder keeps its reward cut, rounded down; nothing before it set one', () => {
  assert.bigIntEquals(BigInt.zero(), commissionOf(bytes(TRANSCODER), amount(REWARD)))
  const transcoder = getOrCreateTranscoder(bytes(TRANSCODER))
  transcoder.rewardCut = 123_457
  transcoder.save()
  assert.bigIntEquals(amount(COMMISSION), commissionOf(bytes(TRANSCODER), amount(REWARD)))
})

test('a Reward is written down with its place', () => {
  const reward = newReward(event(), protocolInRound(3001), bytes(TRANSCODER), amount(REWARD), amount(COMMISSION))
  saveAs('Reward', reward.id, reward)
  const id = `${TRANSACTION}01000000`
  assert.fieldEquals('Reward', id, 'transcoder', TRANSCODER)
  assert.fieldEquals('Reward', id, 'amount', REWARD)
  assert.fieldEquals('Reward', id, 'commission', COMMISSION)
  assert.fieldEquals('Reward', id, 'round', '3001')
  assert.fieldEquals('Reward', id, 'block', '140000005')
  assert.fieldEquals('Reward', id, 'logIndex', '1')
  assert.fieldEquals('Reward', id, 'timestamp', '1400000050')
  assert.fieldEquals('Reward', id, 'transactionHash', TRANSACTION)
})

test('rewards of two rounds move the factor and what the transcoder has of its own', () => {
  const positions = new StakePositions(event(), protocolInRound(3001))
  const transcoder = positions.transcoder(bytes(TRANSCODER))
  transcoder.delegatedAmountAtRoundStart = amount(TOTAL_STAKE)
  shareReward(positions, transcoder, 3001, amount(REWARD), amount(COMMISSION))
  assert.i32Equals(3001, transcoder.lastRewardRound)
  assert.bigIntEquals(amount(FACTOR), transcoder.cumulativeRewardFactor)
  assert.bigIntEquals(amount(COMMISSION), transcoder.cumulativeRewards)
  const first = `${TRANSCODER}b90b0000`
  assert.fieldEquals('EarningsPool', first, 'transcoder', TRANSCODER)
  assert.fieldEquals('EarningsPool', first, 'round', '3001')
  assert.fieldEquals('EarningsPool', first, 'cumulativeRewardFactor', FACTOR)
  assert.fieldEquals('EarningsPool', first, 'totalStake', TOTAL_STAKE)
  assert.fieldEquals('EarningsPool', first, 'block', '140000005')

  transcoder.delegatedAmountAtRoundStart = amount('1343949631484328358556')
  shareReward(positions, transcoder, 3002, amount('17000000000000000019'), amount('2098769000000000002'))
  assert.i32Equals(3002, transcoder.lastRewardRound)
  assert.bigIntEquals(amount('1018362924357479676402264995'), transcoder.cumulativeRewardFactor)
  assert.bigIntEquals(amount('3471853315807949590'), transcoder.cumulativeRewards)
  assert.entityCount('EarningsPool', 2)
  assert.fieldEquals('EarningsPool', first, 'cumulativeRewardFactor', FACTOR)
  const second = `${TRANSCODER}ba0b0000`
  assert.fieldEquals('EarningsPool', second, 'cumulativeRewardFactor', '1018362924357479676402264995')
  assert.fieldEquals('EarningsPool', second, 'totalStake', '1343949631484328358556')
  assert.entityCount('Contradiction', 0)
})

test('a reward over no stake contradicts, and shares nothing', () => {
  const positions = new StakePositions(event(), protocolInRound(3001))
  const transcoder = positions.transcoder(bytes(TRANSCODER))
  transcoder.delegatedAmount = amount(TOTAL_STAKE)
  shareReward(positions, transcoder, 3001, amount(REWARD), amount(COMMISSION))
  assert.bigIntEquals(BigInt.zero(), transcoder.cumulativeRewardFactor)
  assert.bigIntEquals(BigInt.zero(), transcoder.cumulativeRewards)
  assert.entityCount('EarningsPool', 0)
  assert.fieldEquals('Contradiction', '0x00000000', 'account', TRANSCODER)
  assert.fieldEquals('Contradiction', '0x00000000', 'about', 'TRANSCODER')
  assert.fieldEquals('Contradiction', '0x00000000', 'message', 'Reward of 11000000000000000013 over no stake')
})

test('what a delegator claims of it is to the wei; one wei more contradicts', () => {
  const positions = new StakePositions(event(), protocolInRound(3001))
  const transcoder = positions.transcoder(bytes(TRANSCODER))
  transcoder.delegatedAmountAtRoundStart = amount(TOTAL_STAKE)
  shareReward(positions, transcoder, 3001, amount(REWARD), amount(COMMISSION))
  const owner = positions.delegator(bytes(DELEGATOR))
  owner.delegate = bytes(TRANSCODER)
  owner.bondedAmount = amount('7000000000000000007')
  owner.lastClaimRound = 3000
  checkClaim(positions, owner, 3001, 3001, 3001, amount('50368515671641791'))
  assert.entityCount('Contradiction', 0)
  checkClaim(positions, owner, 3001, 3001, 3001, amount('50368515671641792'))
  assert.fieldEquals(
    'Contradiction',
    '0x00000000',
    'message',
    'EarningsClaimed of 50368515671641792, pending are 50368515671641791',
  )
  checkClaim(positions, owner, 3001, 3000, 3001, amount('50368515671641791'))
  assert.fieldEquals('Contradiction', '0x01000000', 'message', 'EarningsClaimed for 3000-3001 after 3000 in 3001')

  claimEarnings(positions, owner, 3001, amount('50368515671641791'))
  assert.bigIntEquals(amount('7050368515671641798'), owner.bondedAmount)
  assert.i32Equals(3001, owner.lastClaimRound)
  assert.bigIntEquals(amount(COMMISSION), transcoder.cumulativeRewards)
})

test('a transcoder claims what it has of its own too, which is then nothing', () => {
  const positions = new StakePositions(event(), protocolInRound(3002))
  const transcoder = positions.transcoder(bytes(TRANSCODER))
  transcoder.lastRewardRound = 3002
  transcoder.cumulativeRewardFactor = amount('1018362924357479676402264995')
  transcoder.cumulativeRewards = amount('3471853315807949590')
  const owner = positions.delegator(bytes(TRANSCODER))
  owner.delegate = bytes(TRANSCODER)
  owner.bondedAmount = amount('1000000000000000000001')
  owner.lastClaimRound = 3000
  checkClaim(positions, owner, 3002, 3001, 3002, amount('21834777673287625992'))
  assert.entityCount('Contradiction', 0)
  claimEarnings(positions, owner, 3002, amount('21834777673287625992'))
  assert.bigIntEquals(amount('1021834777673287625993'), owner.bondedAmount)
  assert.bigIntEquals(BigInt.zero(), transcoder.cumulativeRewards)
})

test('a claim in a round without a reward carries the factor into the round’s pool', () => {
  const positions = new StakePositions(event(), protocolInRound(3010))
  const transcoder = positions.transcoder(bytes(TRANSCODER))
  transcoder.lastRewardRound = 3002
  transcoder.cumulativeRewardFactor = amount('1018362924357479676402264995')
  const owner = positions.delegator(bytes(DELEGATOR))
  owner.delegate = bytes(TRANSCODER)
  claimEarnings(positions, owner, 3010, BigInt.zero())
  const pool = `${TRANSCODER}c20b0000`
  assert.entityCount('EarningsPool', 1)
  assert.fieldEquals('EarningsPool', pool, 'round', '3010')
  assert.fieldEquals('EarningsPool', pool, 'cumulativeRewardFactor', '1018362924357479676402264995')
})
