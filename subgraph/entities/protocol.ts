import { BigInt, Bytes, ethereum, store } from '@graphprotocol/graph-ts'
import { Protocol } from '../generated/schema'
import { protocolId } from '../ids'
import { bondingManagerVersionAt } from '../protocol/bonding-manager-version'

/** The id of the one Protocol entity in hex, which costs time to make. */
const PROTOCOL_KEY = '0x00000000'

/** The protocol's totals; zeros before any event, saved when new. */
export function getOrCreateProtocol(): Protocol {
  const stored = store.get('Protocol', PROTOCOL_KEY)
  if (stored != null) return changetype<Protocol>(stored)
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
  protocol.save()
  return protocol
}

/** Writes the totals of stake, which most events change; every other field costs time. */
export function saveTotals(protocol: Protocol): void {
  const totals = new Protocol(protocolId())
  totals.nextRoundTotalActiveStake = protocol.nextRoundTotalActiveStake
  totals.totalStake = protocol.totalStake
  store.set('Protocol', PROTOCOL_KEY, totals)
}

/** Writes which polls are open and what is known of the L1 block number. */
export function savePollClock(protocol: Protocol): void {
  const clock = new Protocol(protocolId())
  clock.openPolls = protocol.openPolls
  clock.l1BlockAskedAt = protocol.l1BlockAskedAt
  clock.l1BlockToldAt = protocol.l1BlockToldAt
  clock.l1Block = protocol.l1Block
  store.set('Protocol', PROTOCOL_KEY, clock)
}

/** A transcoder's activation is announced, or for null no activation any more. */
export function setPendingActivation(protocol: Protocol, transcoder: Bytes | null): void {
  if (!transcoder && !protocol.pendingActivation) return
  protocol.pendingActivation = transcoder
  const announced = new Protocol(protocolId())
  announced.pendingActivation = transcoder
  store.set('Protocol', PROTOCOL_KEY, announced)
}

/** Writes which treasury's cut waits for its Reward, if any. */
export function savePendingTreasuryReward(treasuryReward: Bytes | null): void {
  const noted = new Protocol(protocolId())
  noted.pendingTreasuryReward = treasuryReward
  store.set('Protocol', PROTOCOL_KEY, noted)
}

/** The version of BondingManager that an event of it comes from, 1 to 9. */
export function bondingManagerVersionOf(event: ethereum.Event, protocol: Protocol): i32 {
  if (protocol.bondingManagerVersion != 0) return protocol.bondingManagerVersion
  return bondingManagerVersionAt(event.address, event.block.number.toI32())
}
