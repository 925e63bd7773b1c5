import { Address, BigInt, Bytes, ethereum } from '@graphprotocol/graph-ts'
import { afterEach, assert, clearStore, test } from 'matchstick-as/assembly/index'
import { handleVoteCast } from '../../../mappings/livepeer-governor'
import { VoteCast as VoteCastEvent } from '../../../subgraph/generated/LivepeerGovernor/LivepeerGovernor'
import { VoteCast } from '../../../subgraph/generated/schema'
import { placedEvent } from '../placed-event'

const GOVERNOR = '0xc3e53f4d16ae77db1c982e75a937b9f60fe63690'
const VOTER = '0xa0ee7a142d267c1f36714e4a8f75612f20a79720'
const PROPOSAL = '0x60f5b60cfea8c82dcd9cc16dd71c2277ff9fbc6d96751e2bbf3ffbd377bb24db'
const PROPOSAL_ID = '43856167463037508283345063468976720471918545855831371987889867531676741739739'
const TRANSACTION = '0xdfde130b6ebe00fc71d5ee7034b48a01f068dad8d11b15b59b6e136ca5f8468b'
const WEIGHT = '16648791429757143447922'
const VOTE = PROPOSAL + VOTER.slice(2)

afterEach(() => {
  clearStore()
})

/** VoteCast(address indexed voter, uint256 proposalId, uint8 support, uint256 weight, string reason). */
function voteCast(block: i32, logIndex: i32, support: BigInt, weight: string, reason: string): VoteCastEvent {
  return placedEvent<VoteCastEvent>(GOVERNOR, TRANSACTION, block, logIndex, [
    new ethereum.EventParam('voter', ethereum.Value.fromAddress(Address.fromString(VOTER))),
    new ethereum.EventParam('proposalId', ethereum.Value.fromUnsignedBigInt(BigInt.fromString(PROPOSAL_ID))),
    new ethereum.EventParam('support', ethereum.Value.fromUnsignedBigInt(support)),
    new ethereum.EventParam('weight', ethereum.Value.fromUnsignedBigInt(BigInt.fromString(weight))),
    new ethereum.EventParam('reason', ethereum.Value.fromString(reason)),
  ])
}

// The log of block 683 in the recorded chain of tests/traces/livepeer/small.
test('a vote as it was recorded: its log, and the choice that counts', () => {
  const reason = 'a longer reason é中 with "quotes" and \\ signs'
  handleVoteCast(voteCast(683, 1, BigInt.fromI32(1), WEIGHT, reason))

  const cast = `${TRANSACTION}01000000`
  assert.entityCount('VoteCast', 1)
  assert.fieldEquals('VoteCast', cast, 'proposal', PROPOSAL)
  assert.fieldEquals('VoteCast', cast, 'voter', VOTER)
  assert.fieldEquals('VoteCast', cast, 'choice', '1')
  assert.fieldEquals('VoteCast', cast, 'valid', 'true')
  assert.fieldEquals('VoteCast', cast, 'weight', WEIGHT)
  assert.fieldEquals('VoteCast', cast, 'reason', reason)
  assert.fieldEquals('VoteCast', cast, 'round', '0')
  assert.fieldEquals('VoteCast', cast, 'block', '683')
  assert.fieldEquals('VoteCast', cast, 'logIndex', '1')
  assert.fieldEquals('VoteCast', cast, 'timestamp', '6830')
  assert.fieldEquals('VoteCast', cast, 'transactionHash', TRANSACTION)
  assert.entityCount('Vote', 1)
  assert.fieldEquals('Vote', VOTE, 'proposal', PROPOSAL)
  assert.fieldEquals('Vote', VOTE, 'voter', VOTER)
  assert.fieldEquals('Vote', VOTE, 'choice', '1')
  assert.fieldEquals('Vote', VOTE, 'weight', WEIGHT)
  assert.fieldEquals('Vote', VOTE, 'cast', cast)
  assert.fieldEquals('Vote', VOTE, 'block', '683')
  assert.fieldEquals('Vote', VOTE, 'logIndex', '1')
  assert.entityCount('Account', 1)
  assert.fieldEquals('Account', VOTER, 'id', VOTER)
})

test('no reason is none, and there are no params', () => {
  handleVoteCast(voteCast(683, 1, BigInt.zero(), WEIGHT, ''))
  const cast = VoteCast.load(Bytes.fromHexString(`${TRANSACTION}01000000`))
  assert.assertTrue(cast != null)
  assert.assertTrue(cast!.reason == null)
  assert.assertTrue(!cast!.params)
})

test('abstaining is the last choice there is; what is none is noted, and neither counts nor replaces', () => {
  handleVoteCast(voteCast(683, 1, BigInt.fromI32(2), WEIGHT, ''))
  handleVoteCast(voteCast(684, 0, BigInt.fromI32(3), '7', ''))
  handleVoteCast(voteCast(685, 4, BigInt.fromI32(255), '8', ''))

  assert.entityCount('VoteCast', 3)
  assert.fieldEquals('VoteCast', `${TRANSACTION}01000000`, 'valid', 'true')
  assert.fieldEquals('VoteCast', `${TRANSACTION}00000000`, 'valid', 'false')
  assert.fieldEquals('VoteCast', `${TRANSACTION}00000000`, 'choice', '3')
  assert.fieldEquals('VoteCast', `${TRANSACTION}04000000`, 'valid', 'false')
  assert.fieldEquals('VoteCast', `${TRANSACTION}04000000`, 'choice', '255')
  assert.entityCount('Vote', 1)
  assert.fieldEquals('Vote', VOTE, 'choice', '2')
  assert.fieldEquals('Vote', VOTE, 'weight', WEIGHT)
  assert.fieldEquals('Vote', VOTE, 'block', '683')
})
