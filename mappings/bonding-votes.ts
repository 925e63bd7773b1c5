import { Bytes, ethereum } from '@graphprotocol/graph-ts'
import { getOrCreateAccount } from '../subgraph/entities/account'
import { getOrCreateProtocol } from '../subgraph/entities/protocol'
import {
  DelegateChanged as DelegateChangedEvent,
  DelegateVotesChanged as DelegateVotesChangedEvent,
  DelegatorBondedAmountChanged as DelegatorBondedAmountChangedEvent,
} from '../subgraph/generated/BondingVotes/BondingVotes'

// BondingVotes restates BondingManager's stake in checkpoints, so its events change no stake here; they tell since when
// the contract itself can answer for an account.

/** The delegator got a checkpoint with another delegate. */
export function handleDelegateChanged(event: DelegateChangedEvent): void {
  noteCheckpoint(event, event.params.delegator)
}

/** A transcoder got a checkpoint with other votes. */
export function handleDelegateVotesChanged(event: DelegateVotesChangedEvent): void {
  noteCheckpoint(event, event.params.delegate)
}

/** The delegator got a checkpoint with another bonded amount. */
export function handleDelegatorBondedAmountChanged(event: DelegatorBondedAmountChangedEvent): void {
  noteCheckpoint(event, event.params.delegate)
}

function noteCheckpoint(event: ethereum.Event, address: Bytes): void {
  const account = getOrCreateAccount(address)
  if (account.firstCheckpointBlock != 0) return
  account.firstCheckpointRound = getOrCreateProtocol().currentRound
  account.firstCheckpointBlock = event.block.number.toI32()
  account.save()
}
