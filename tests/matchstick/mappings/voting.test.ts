import { Address, BigInt, Bytes, DataSourceContext, ethereum } from '@graphprotocol/graph-ts'
import { afterEach, assert, clearStore, createMockedFunction, dataSourceMock, test } from 'matchstick-as/assembly/index'
import { handleStartVote } from '../../../mappings/voting'
import { AragonVote, VotingToken } from '../../../subgraph/generated/schema'
import { StartVote as StartVoteEvent } from '../../../subgraph/generated/Voting/Voting'
import { placedEvent } from '../placed-event'

const APP = '0x0000000000000000000000000000000000000a01'
const TOKEN = '0x0000000000000000000000000000000000000a03'
const CREATOR = '0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'
const TRANSACTION = '0x0000000000000000000000000000000a00000000000000000000000000000002'
const SCRIPT = '0x000000010000000000000000000000000000000000000a0500000004f6364846'
const GET_VOTE = 'getVote(uint256):(bool,bool,uint64,uint64,uint64,uint64,uint256,uint256,uint256,bytes)'
const BLOCK = 20_001_001

afterEach(() => {
  clearStore()
  dataSourceMock.resetValues()
})

/** StartVote(uint256 indexed voteId, address indexed creator, string metadata). */
function startVote(voteId: BigInt, metadata: string): StartVoteEvent {
  return placedEvent<StartVoteEvent>(APP, TRANSACTION, BLOCK, 3, [
    new ethereum.EventParam('voteId', ethereum.Value.fromUnsignedBigInt(voteId)),
    new ethereum.EventParam('creator', ethereum.Value.fromAddress(Address.fromString(CREATOR))),
    new ethereum.EventParam('metadata', ethereum.Value.fromString(metadata)),
  ])
}

function number(amount: string): ethereum.Value {
  return ethereum.Value.fromUnsignedBigInt(BigInt.fromString(amount))
}

/** The app answers what it was set up with. */
function answerSettings(): void {
  const app = Address.fromString(APP)
  const token = ethereum.Value.fromAddress(Address.fromString(TOKEN))
  createMockedFunction(app, 'supportRequiredPct', 'supportRequiredPct():(uint64)').returns([
    number('600000000000000000'),
  ])
  createMockedFunction(app, 'minAcceptQuorumPct', 'minAcceptQuorumPct():(uint64)').returns([
    number('200000000000000000'),
  ])
  createMockedFunction(app, 'voteTime', 'voteTime():(uint64)').returns([number('604800')])
  createMockedFunction(app, 'token', 'token():(address)').returns([token])
}

/** The app answers nothing. */
function keepSilent(voteId: BigInt): void {
  const app = Address.fromString(APP)
  createMockedFunction(app, 'supportRequiredPct', 'supportRequiredPct():(uint64)').reverts()
  createMockedFunction(app, 'minAcceptQuorumPct', 'minAcceptQuorumPct():(uint64)').reverts()
  createMockedFunction(app, 'voteTime', 'voteTime():(uint64)').reverts()
  createMockedFunction(app, 'token', 'token():(address)').reverts()
  createMockedFunction(app, 'getVote', GET_VOTE)
    .withArgs([ethereum.Value.fromUnsignedBigInt(voteId)])
    .reverts()
}

/** The token has a supply, wei, that was another one before a block. */
function saveSupply(totalSupply: string, previousTotalSupply: string, supplyBlock: i32): void {
  const token = new VotingToken(Address.fromString(TOKEN))
  token.totalSupply = BigInt.fromString(totalSupply)
  token.previousTotalSupply = BigInt.fromString(previousTotalSupply)
  token.supplyBlock = supplyBlock
  token.save()
}

function idOf(voteId: string): string {
  return APP + voteId
}

// The figures of tests/subgraph/l1-aragon-get-vote.test.json.
test('what getVote tells of a vote is taken, not the app’s settings of now', () => {
  answerSettings()
  createMockedFunction(Address.fromString(APP), 'getVote', GET_VOTE)
    .withArgs([ethereum.Value.fromUnsignedBigInt(BigInt.zero())])
    .returns([
      ethereum.Value.fromBoolean(true),
      ethereum.Value.fromBoolean(false),
      number('1700000012'),
      number('20001000'),
      number('500000000000000000'),
      number('200000000000000000'),
      number('0'),
      number('0'),
      number('100000000000000000000'),
      ethereum.Value.fromBytes(Bytes.fromHexString(SCRIPT)),
    ])
  handleStartVote(startVote(BigInt.zero(), 'paie 2 LPT à Zoé'))

  const vote = idOf('0000000000000000000000000000000000000000000000000000000000000000')
  assert.entityCount('AragonVote', 1)
  assert.fieldEquals('AragonVote', vote, 'app', APP)
  assert.fieldEquals('AragonVote', vote, 'voteId', '0')
  assert.fieldEquals('AragonVote', vote, 'creator', CREATOR)
  assert.fieldEquals('AragonVote', vote, 'proposer', CREATOR)
  assert.fieldEquals('AragonVote', vote, 'metadata', 'paie 2 LPT à Zoé')
  assert.fieldEquals('AragonVote', vote, 'snapshotBlock', '20001000')
  assert.fieldEquals('AragonVote', vote, 'supportRequired', '500000000000000000')
  assert.fieldEquals('AragonVote', vote, 'minAcceptQuorum', '200000000000000000')
  assert.fieldEquals('AragonVote', vote, 'voteTime', '604800')
  assert.fieldEquals('AragonVote', vote, 'votingPower', '100000000000000000000')
  assert.fieldEquals('AragonVote', vote, 'script', SCRIPT)
  assert.fieldEquals('AragonVote', vote, 'round', '0')
  assert.fieldEquals('AragonVote', vote, 'block', '20001001')
  assert.fieldEquals('AragonVote', vote, 'logIndex', '3')
  assert.fieldEquals('AragonVote', vote, 'timestamp', '200010010')
  assert.fieldEquals('AragonVote', vote, 'transactionHash', TRANSACTION)
  assert.fieldEquals('VotingApp', APP, 'token', TOKEN)
  assert.fieldEquals('VotingApp', APP, 'supportRequiredPct', '600000000000000000')
  assert.fieldEquals('VotingApp', APP, 'minAcceptQuorumPct', '200000000000000000')
  assert.fieldEquals('VotingApp', APP, 'voteTime', '604800')
  assert.fieldEquals('VotingApp', APP, 'callLogIndices', '[]')
  assert.fieldEquals('Account', CREATOR, 'id', CREATOR)
})

test('without an answer they come from the data source’s context, and the supply from before the block of the vote', () => {
  keepSilent(BigInt.fromI32(258))
  const context = new DataSourceContext()
  context.setBigInt('supportRequiredPct', BigInt.fromString('500000000000000001'))
  context.setBigInt('minAcceptQuorumPct', BigInt.fromString('150000000000000000'))
  context.setBigInt('voteTime', BigInt.fromI32(604_800))
  context.setBytes('token', Bytes.fromHexString(TOKEN))
  context.setBytes('vault', Bytes.fromHexString('0x0000000000000000000000000000000000000a05'))
  dataSourceMock.setContext(context)
  saveSupply('100000000000000000001', '100000000000000000000', BLOCK)
  handleStartVote(startVote(BigInt.fromI32(258), ''))

  const vote = idOf('0000000000000000000000000000000000000000000000000000000000000102')
  assert.fieldEquals('AragonVote', vote, 'voteId', '258')
  assert.fieldEquals('AragonVote', vote, 'metadata', '')
  assert.fieldEquals('AragonVote', vote, 'supportRequired', '500000000000000001')
  assert.fieldEquals('AragonVote', vote, 'minAcceptQuorum', '150000000000000000')
  assert.fieldEquals('AragonVote', vote, 'voteTime', '604800')
  assert.fieldEquals('AragonVote', vote, 'votingPower', '100000000000000000000')
  assert.fieldEquals('VotingApp', APP, 'token', TOKEN)
  assert.fieldEquals('VotingApp', APP, 'vault', '0x0000000000000000000000000000000000000a05')
})

test('a supply that did not change in the block of the vote counts as it is', () => {
  keepSilent(BigInt.fromI32(1))
  const context = new DataSourceContext()
  context.setBytes('token', Bytes.fromHexString(TOKEN))
  dataSourceMock.setContext(context)
  saveSupply('100000000000000000001', '100000000000000000000', BLOCK - 1)
  handleStartVote(startVote(BigInt.fromI32(1), ''))
  const vote = idOf('0000000000000000000000000000000000000000000000000000000000000001')
  assert.fieldEquals('AragonVote', vote, 'votingPower', '100000000000000000001')
})

test('what neither tells is null', () => {
  keepSilent(BigInt.fromI32(2))
  handleStartVote(startVote(BigInt.fromI32(2), ''))
  const id = Bytes.fromHexString(idOf('0000000000000000000000000000000000000000000000000000000000000002'))
  const vote = AragonVote.load(id)
  assert.assertTrue(vote != null)
  assert.assertTrue(!vote!.supportRequired)
  assert.assertTrue(!vote!.minAcceptQuorum)
  assert.assertTrue(!vote!.voteTime)
  assert.assertTrue(!vote!.votingPower)
  assert.assertTrue(!vote!.script)
})
