import { BigInt } from '@graphprotocol/graph-ts'
import { Protocol } from '../generated/schema'
import { protocolId } from '../ids'
import { LATEST_BONDING_MANAGER_VERSION } from '../protocol/bonding-manager-version'

/** The protocol's totals; zeros and the latest BondingManager before any event. */
export function getOrCreateProtocol(): Protocol {
  const stored = Protocol.load(protocolId())
  if (stored != null) return stored
  const protocol = new Protocol(protocolId())
  protocol.firstRound = 0
  protocol.currentRound = 0
  protocol.currentRoundTotalActiveStake = BigInt.zero()
  protocol.nextRoundTotalActiveStake = BigInt.zero()
  protocol.totalStake = BigInt.zero()
  protocol.bondingManagerVersion = LATEST_BONDING_MANAGER_VERSION
  protocol.contradictions = 0
  protocol.openPolls = []
  protocol.l1BlockAskedAt = 0
  protocol.l1Block = BigInt.zero()
  return protocol
}
