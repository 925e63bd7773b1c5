import { BigInt, Bytes } from '@graphprotocol/graph-ts'
import { setLogPosition } from '../subgraph/entities/log'
import { getOrCreateProtocol } from '../subgraph/entities/protocol'
import { Transfer as TransferEvent } from '../subgraph/generated/LPT/LivepeerToken'
import { Treasury, TreasuryTransfer } from '../subgraph/generated/schema'
import { treasuryTransferId } from '../subgraph/ids'

/** LPT leaves the treasury: a proposal or a vote pays. */
export function handleTransferFromTreasury(event: TransferEvent): void {
  const treasury = getOrCreateTreasury(event.params.from)
  // What it pays itself comes in at once; the chain gives such a log to this handler only.
  if (event.params.to != event.params.from) treasury.balance -= event.params.value
  else treasury.totalIn += event.params.value
  treasury.totalOut += event.params.value
  recordTransfer(event, treasury)
}

/** LPT comes into the treasury: its cut of rewards, or a gift. */
export function handleTransferToTreasury(event: TransferEvent): void {
  const treasury = getOrCreateTreasury(event.params.to)
  treasury.balance += event.params.value
  treasury.totalIn += event.params.value
  recordTransfer(event, treasury)
}

function recordTransfer(event: TransferEvent, treasury: Treasury): void {
  treasury.save()
  const transfer = new TreasuryTransfer(treasuryTransferId(event, treasury.id))
  transfer.treasury = treasury.id
  transfer.from = event.params.from
  transfer.to = event.params.to
  transfer.amount = event.params.value
  transfer.balanceAfter = treasury.balance
  setLogPosition(transfer, event, getOrCreateProtocol())
  transfer.save()
}

function getOrCreateTreasury(address: Bytes): Treasury {
  const stored = Treasury.load(address)
  if (stored != null) return stored
  const treasury = new Treasury(address)
  treasury.balance = BigInt.zero()
  treasury.totalIn = BigInt.zero()
  treasury.totalOut = BigInt.zero()
  return treasury
}
