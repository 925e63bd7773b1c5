import { BigInt, Bytes, ethereum } from '@graphprotocol/graph-ts'
import { afterEach, assert, clearStore, test } from 'matchstick-as/assembly/index'
import { isRepair, recordBond } from '../../../subgraph/entities/bond'
import { checkBond, checkDelegate, delegateTo, movesStake } from '../../../subgraph/entities/delegator'
import { getOrCreateProtocol } from '../../../subgraph/entities/protocol'
import { StakePositions } from '../../../subgraph/entities/stake-positions'
import { decreaseTotalStake, increaseTotalStake } from '../../../subgraph/entities/transcoder-pool'
import { Bond, Protocol } from '../../../subgraph/generated/schema'
import { placedEvent } from '../placed-event'

// The figures are those of tests/subgraph/every-event.test.json, where graph-node runs the whole handler.
const BONDING_MANAGER = '0x35bcf3c30594191d53231e4ff333e8a770453e40'
const TRANSCODER = '0x1111111111111111111111111111111111111111'
const DELEGATOR = '0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'
const NOBODY = '0x0000000000000000000000000000000000000000'
const TRANSACTION = '0x0000000000000000000000000000000700000000000000000000000000000004'
const BLOCK = 140_000_003
const AMOUNT = '333000000000000000333'

afterEach(() => {
  clearStore()
})

function eventAt(block: i32): ethereum.Event {
  return placedEvent<ethereum.Event>(BONDING_MANAGER, TRANSACTION, block, 1, [])
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

test('a Bond is written down with its place; who delegated to nobody left no delegate', () => {
  const protocol = protocolInRound(3000)
  const delegator = bytes(DELEGATOR)
  recordBond(eventAt(BLOCK), protocol, delegator, bytes(TRANSCODER), null, amount(AMOUNT), amount(AMOUNT))

  const bond = `${TRANSACTION}01000000`
  assert.entityCount('Bond', 1)
  assert.fieldEquals('Bond', bond, 'delegator', DELEGATOR)
  assert.fieldEquals('Bond', bond, 'newDelegate', TRANSCODER)
  assert.fieldEquals('Bond', bond, 'additionalAmount', AMOUNT)
  assert.fieldEquals('Bond', bond, 'bondedAmount', AMOUNT)
  assert.fieldEquals('Bond', bond, 'round', '3000')
  assert.fieldEquals('Bond', bond, 'block', '140000003')
  assert.fieldEquals('Bond', bond, 'logIndex', '1')
  assert.fieldEquals('Bond', bond, 'timestamp', '1400000030')
  assert.fieldEquals('Bond', bond, 'transactionHash', TRANSACTION)
  const stored = Bond.load(bytes(bond))
  assert.assertTrue(stored != null)
  assert.assertTrue(!stored!.oldDelegate)

  recordBond(eventAt(BLOCK), protocol, delegator, bytes(TRANSCODER), bytes(NOBODY), amount('0'), amount(AMOUNT))
  assert.fieldEquals('Bond', bond, 'oldDelegate', NOBODY)
  assert.fieldEquals('Bond', bond, 'additionalAmount', '0')
})

test('a first bond opens both positions from the next round on, and adds to all stake, not to that of the pool', () => {
  const protocol = protocolInRound(3000)
  const positions = new StakePositions(eventAt(BLOCK), protocol)
  const owner = positions.delegator(bytes(DELEGATOR))
  checkDelegate(positions, owner, bytes(NOBODY), 'Bond leaves')
  checkBond(positions, owner, amount(AMOUNT), amount(AMOUNT))
  delegateTo(owner, bytes(TRANSCODER))
  owner.bondedAmount = amount(AMOUNT)
  increaseTotalStake(positions, protocol, bytes(TRANSCODER), amount(AMOUNT))
  positions.save()

  assert.entityCount('Contradiction', 0)
  assert.bigIntEquals(amount(AMOUNT), protocol.totalStake)
  assert.bigIntEquals(BigInt.zero(), protocol.nextRoundTotalActiveStake)
  assert.entityCount('DelegatorPosition', 1)
  assert.fieldEquals('DelegatorPosition', DELEGATOR, 'account', DELEGATOR)
  assert.fieldEquals('DelegatorPosition', DELEGATOR, 'delegate', TRANSCODER)
  assert.fieldEquals('DelegatorPosition', DELEGATOR, 'bondedAmount', AMOUNT)
  assert.fieldEquals('DelegatorPosition', DELEGATOR, 'exact', 'true')
  assert.fieldEquals('DelegatorPosition', DELEGATOR, 'fromRound', '3001')
  assert.fieldEquals('DelegatorPosition', DELEGATOR, 'fromBlock', '140000003')
  assert.fieldEquals('DelegatorPosition', DELEGATOR, 'untilRound', '2147483647')
  assert.fieldEquals('DelegatorPosition', DELEGATOR, 'untilBlock', '2147483647')
  assert.entityCount('TranscoderPosition', 1)
  assert.fieldEquals('TranscoderPosition', TRANSCODER, 'delegatedAmount', AMOUNT)
  assert.fieldEquals('TranscoderPosition', TRANSCODER, 'delegatedAmountAtRoundStart', '0')
  assert.fieldEquals('TranscoderPosition', TRANSCODER, 'inPool', 'false')
  assert.fieldEquals('TranscoderPosition', TRANSCODER, 'fromRound', '3001')
  assert.entityCount('Account', 2)
})

test('stake of a transcoder in the pool is stake of the next round’s active set, and leaves it again', () => {
  const protocol = protocolInRound(3000)
  const positions = new StakePositions(eventAt(BLOCK), protocol)
  const transcoder = positions.transcoder(bytes(TRANSCODER))
  transcoder.inPool = true
  increaseTotalStake(positions, protocol, bytes(TRANSCODER), amount('1000000000000000000001'))
  increaseTotalStake(positions, protocol, bytes(TRANSCODER), amount(AMOUNT))
  decreaseTotalStake(positions, protocol, bytes(TRANSCODER), amount('1'))
  assert.bigIntEquals(amount('1333000000000000000333'), transcoder.delegatedAmount)
  assert.bigIntEquals(amount('1333000000000000000333'), protocol.nextRoundTotalActiveStake)
  assert.bigIntEquals(amount('1333000000000000000333'), protocol.totalStake)

  // More than there is contradicts, and takes nothing.
  decreaseTotalStake(positions, protocol, bytes(TRANSCODER), amount('1333000000000000000334'))
  assert.bigIntEquals(amount('1333000000000000000333'), transcoder.delegatedAmount)
  assert.assertTrue(!transcoder.exact)
  assert.fieldEquals('Contradiction', '0x00000000', 'about', 'TRANSCODER')
  assert.fieldEquals(
    'Contradiction',
    '0x00000000',
    'message',
    '1333000000000000000334 taken away of 1333000000000000000333 delegated',
  )
})

test('positions that were only looked at are not written', () => {
  const positions = new StakePositions(eventAt(BLOCK), protocolInRound(3000))
  positions.delegator(bytes(DELEGATOR))
  positions.transcoder(bytes(TRANSCODER))
  positions.save()
  assert.entityCount('DelegatorPosition', 0)
  assert.entityCount('TranscoderPosition', 0)
  assert.entityCount('Account', 0)
})

test('a Bond that does not make what was bonded into what it tells contradicts, be it by one wei', () => {
  const protocol = protocolInRound(3000)
  const positions = new StakePositions(eventAt(BLOCK), protocol)
  const owner = positions.delegator(bytes(DELEGATOR))
  checkBond(positions, owner, amount(AMOUNT), amount('333000000000000000334'))
  assert.assertTrue(!owner.exact)
  assert.i32Equals(1, protocol.contradictions)
  assert.fieldEquals('Protocol', '0x00000000', 'contradictions', '1')
  assert.fieldEquals('Contradiction', '0x00000000', 'account', DELEGATOR)
  assert.fieldEquals('Contradiction', '0x00000000', 'about', 'DELEGATOR')
  assert.fieldEquals(
    'Contradiction',
    '0x00000000',
    'message',
    'Bond of 333000000000000000333 on 0 gives 333000000000000000334',
  )
  assert.fieldEquals('Contradiction', '0x00000000', 'block', '140000003')
})

test('only a Bond of nothing to the same delegate is a repair', () => {
  assert.assertTrue(isRepair(BigInt.zero(), bytes(TRANSCODER), bytes(TRANSCODER)))
  assert.assertTrue(isRepair(BigInt.zero(), bytes(NOBODY), bytes(NOBODY)))
  assert.assertTrue(!isRepair(amount('1'), bytes(TRANSCODER), bytes(TRANSCODER)))
  assert.assertTrue(!isRepair(BigInt.zero(), bytes(NOBODY), bytes(TRANSCODER)))
})

test('stake moves along to another delegate, away from the zero address since version 3', () => {
  const protocol = protocolInRound(3000)
  const lastOfVersion2 = eventAt(6_897_364)
  const firstOfVersion3 = eventAt(6_897_365)
  assert.assertTrue(movesStake(lastOfVersion2, protocol, bytes(DELEGATOR), bytes(TRANSCODER)))
  assert.assertTrue(!movesStake(firstOfVersion3, protocol, bytes(TRANSCODER), bytes(TRANSCODER)))
  assert.assertTrue(!movesStake(lastOfVersion2, protocol, bytes(NOBODY), bytes(TRANSCODER)))
  assert.assertTrue(movesStake(firstOfVersion3, protocol, bytes(NOBODY), bytes(TRANSCODER)))
  // What Controller told goes before the block.
  protocol.bondingManagerVersion = 2
  assert.assertTrue(!movesStake(firstOfVersion3, protocol, bytes(NOBODY), bytes(TRANSCODER)))
})
