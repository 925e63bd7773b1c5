import { BigInt, Bytes, crypto, ethereum } from '@graphprotocol/graph-ts'
import { getOrCreateAccount } from '../subgraph/entities/account'
import { recordContradiction } from '../subgraph/entities/contradiction'
import { recordSettingChange } from '../subgraph/entities/governor-setting-change'
import { keptNumber } from '../subgraph/entities/kept-number'
import { setLogPosition } from '../subgraph/entities/log'
import { getOrCreateProtocol } from '../subgraph/entities/protocol'
import { countVote, newVoteCast } from '../subgraph/entities/vote'
import {
  ProposalCanceled as ProposalCanceledEvent,
  ProposalCreated as ProposalCreatedEvent,
  ProposalExecuted as ProposalExecutedEvent,
  ProposalQueued as ProposalQueuedEvent,
  ProposalThresholdSet as ProposalThresholdSetEvent,
  QuorumNumeratorUpdated as QuorumNumeratorUpdatedEvent,
  VoteCast as VoteCastEvent,
  VoteCastWithParams as VoteCastWithParamsEvent,
  VotingDelaySet as VotingDelaySetEvent,
  VotingPeriodSet as VotingPeriodSetEvent,
} from '../subgraph/generated/LivepeerGovernor/LivepeerGovernor'
import { TreasuryProposal, TreasuryProposalEvent } from '../subgraph/generated/schema'
import { logId, treasuryProposalId } from '../subgraph/ids'

/** The greatest support there is; the governor takes no vote with another (GovernorCountingOverridable._countVote). */
const ABSTAIN = BigInt.fromI32(2)
/** Its place among the parameters of VoteCast and VoteCastWithParams. */
const SUPPORT = 2

/** A proposal, with the rounds its votes are read at and cast until. */
export function handleProposalCreated(event: ProposalCreatedEvent): void {
  const id = treasuryProposalId(event.params.proposalId)
  if (TreasuryProposal.load(id) != null) {
    recordContradiction(
      getOrCreateProtocol(),
      event,
      event.address,
      'PROPOSAL',
      `second proposal ${event.params.proposalId}`,
    )
    return
  }
  const proposal = new TreasuryProposal(id)
  proposal.proposalId = event.params.proposalId
  proposal.governor = event.address
  proposal.proposer = getOrCreateAccount(event.params.proposer).id
  proposal.targets = changetype<Bytes[]>(event.params.targets)
  proposal.values = event.params.values
  proposal.calldatas = event.params.calldatas
  proposal.description = event.params.description
  proposal.descriptionHash = descriptionHash(event)
  proposal.snapshotRound = keptNumber(event.params.voteStart)
  proposal.lastRound = keptNumber(event.params.voteEnd)
  setLogPosition(proposal, event, getOrCreateProtocol())
  proposal.save()
}

/** A succeeded proposal put into the timelock. */
export function handleProposalQueued(event: ProposalQueuedEvent): void {
  const queued = newProposalEvent(event, event.params.proposalId, 'QUEUED')
  queued.eta = event.params.eta
  queued.save()
}

/** A queued proposal carried out; its effects follow in the same transaction. */
export function handleProposalExecuted(event: ProposalExecutedEvent): void {
  newProposalEvent(event, event.params.proposalId, 'EXECUTED').save()
}

/** A proposal withdrawn. */
export function handleProposalCanceled(event: ProposalCanceledEvent): void {
  newProposalEvent(event, event.params.proposalId, 'CANCELED').save()
}

/** A vote without params; the weight is the voter's raw power, not what was counted. */
export function handleVoteCast(event: VoteCastEvent): void {
  const params = event.params
  recordVote(event, params.proposalId, params.voter, params.weight, params.reason, null)
}

/** A vote with params, which the governor ignores. */
export function handleVoteCastWithParams(event: VoteCastWithParamsEvent): void {
  const params = event.params
  recordVote(event, params.proposalId, params.voter, params.weight, params.reason, params.params)
}

/** Rounds between a proposal and its snapshot. */
export function handleVotingDelaySet(event: VotingDelaySetEvent): void {
  recordSettingChange(event, 'VOTING_DELAY', event.params.oldVotingDelay, event.params.newVotingDelay)
}

/** Rounds of voting. */
export function handleVotingPeriodSet(event: VotingPeriodSetEvent): void {
  recordSettingChange(event, 'VOTING_PERIOD', event.params.oldVotingPeriod, event.params.newVotingPeriod)
}

/** Votes needed to propose. */
export function handleProposalThresholdSet(event: ProposalThresholdSetEvent): void {
  const params = event.params
  recordSettingChange(event, 'PROPOSAL_THRESHOLD', params.oldProposalThreshold, params.newProposalThreshold)
}

/** Part of active stake that must vote; counts for snapshots from the round of the change on. */
export function handleQuorumNumeratorUpdated(event: QuorumNumeratorUpdatedEvent): void {
  recordSettingChange(event, 'QUORUM_NUMERATOR', event.params.oldQuorumNumerator, event.params.newQuorumNumerator)
}

/**
 * keccak256 of the description's bytes, the last of ProposalCreated's nine parameters, as the log in the receipt has them;
 * null where there is no receipt, or its log is not encoded so.
 */
function descriptionHash(event: ethereum.Event): Bytes | null {
  const receipt = event.receipt
  if (!receipt) return null
  for (let i = 0; i < receipt.logs.length; i++) {
    const log = receipt.logs[i]
    if (log.logIndex != event.logIndex) continue
    const start = wordAt(log.data, 8 * WORD)
    const length = start < 0 ? -1 : wordAt(log.data, start)
    if (length < 0 || length > log.data.length - start - WORD) return null
    const description = log.data.subarray(start + WORD, start + WORD + length)
    return Bytes.fromByteArray(crypto.keccak256(Bytes.fromUint8Array(description)))
  }
  return null
}

/** Bytes of an ABI word. */
const WORD = 32

/** The number in a word of ABI-encoded data, at an offset in bytes; -1 where it is not there or larger than any length. */
function wordAt(data: Bytes, offset: i32): i32 {
  if (offset > data.length - WORD) return -1
  let number: i32 = 0
  for (let i = 0; i < WORD; i++) {
    const byte: i32 = data[offset + i]
    if (i < WORD - 3 && byte != 0) return -1
    number = (number << 8) | byte
  }
  return number
}

function newProposalEvent(event: ethereum.Event, proposalId: BigInt, kind: string): TreasuryProposalEvent {
  const proposalEvent = new TreasuryProposalEvent(logId(event))
  proposalEvent.proposal = treasuryProposalId(proposalId)
  proposalEvent.kind = kind
  setLogPosition(proposalEvent, event, getOrCreateProtocol())
  return proposalEvent
}

function recordVote(
  event: ethereum.Event,
  proposalId: BigInt,
  voter: Bytes,
  weight: BigInt,
  reason: string,
  params: Bytes | null,
): void {
  const proposal = treasuryProposalId(proposalId)
  // As it was sent: params.support would halt where it is none of the 8 bits it should have.
  const support = event.parameters[SUPPORT].value.toBigInt()
  const cast = newVoteCast(event, getOrCreateProtocol(), proposal, voter, support)
  cast.valid = support <= ABSTAIN
  cast.weight = weight
  if (reason.length > 0) cast.reason = reason
  cast.params = params
  cast.save()
  if (cast.valid) countVote(cast, proposal)
}
