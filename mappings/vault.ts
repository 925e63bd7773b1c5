import { BigInt, Bytes, ethereum } from '@graphprotocol/graph-ts'
import { setLogPosition } from '../subgraph/entities/log'
import { getOrCreateProtocol } from '../subgraph/entities/protocol'
import { VaultMovement } from '../subgraph/generated/schema'
import {
  VaultDeposit as VaultDepositEvent,
  VaultTransfer as VaultTransferEvent,
} from '../subgraph/generated/Vault/Vault'
import { logId } from '../subgraph/ids'

/** The vault pays. */
export function handleVaultTransfer(event: VaultTransferEvent): void {
  recordMovement(event, 'TRANSFER', event.params.token, event.params.to, event.params.amount)
}

/** Somebody pays into the vault by its own function. */
export function handleVaultDeposit(event: VaultDepositEvent): void {
  recordMovement(event, 'DEPOSIT', event.params.token, event.params.sender, event.params.amount)
}

function recordMovement(event: ethereum.Event, kind: string, token: Bytes, entity: Bytes, amount: BigInt): void {
  const movement = new VaultMovement(logId(event))
  movement.vault = event.address
  movement.kind = kind
  movement.token = token
  movement.entity = entity
  movement.amount = amount
  setLogPosition(movement, event, getOrCreateProtocol())
  movement.save()
}
