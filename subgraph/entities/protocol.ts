import { BigInt, ethereum } from '@graphprotocol/graph-ts'
import { Protocol } from '../generated/schema'
import { protocolId } from '../ids'
import { bondingManagerVersionAt } from '../protocol/bonding-manager-version'

/** The protocol's totals; zeros before any event. */
export function getOrCreateProtocol(): Protocol {
  const stored = Protocol.load(protocolId())
  if (stored != null) return stored
  const protocol = new Protocol(protocolId())
  protocol.firstRound = 0
  protocol.currentRound = 0
  protocol.currentRoundTotalActiveStake = BigInt.zero()
  protocol.nextRoundTotalActiveStake = BigInt.zero()
  protocol.totalStake = BigInt.zero()
  protocol.bondingManagerVersion = 0
  protocol.contradictions = 0
  protocol.activeSetTold = true
  protocol.openPolls = []
  protocol.l1BlockAskedAt = 0
  protocol.l1BlockToldAt = 0
  protocol.l1Block = BigInt.zero()
  return protocol
}

/** The version of BondingManager that an event of it comes from, 1 to 9. */
export function bondingManagerVersionOf(event: ethereum.Event, protocol: Protocol): i32 {
  if (protocol.bondingManagerVersion != 0) return protocol.bondingManagerVersion
  return bondingManagerVersionAt(event.address, event.block.number.toI32())
}
