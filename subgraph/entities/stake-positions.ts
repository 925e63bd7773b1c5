import { BigInt, Bytes, ethereum } from '@graphprotocol/graph-ts'
import { Protocol, StakePosition } from '../generated/schema'
import { supersededPositionId } from '../ids'
import { getOrCreateAccount } from './account'
import { recordContradiction } from './contradiction'

/** "No end yet", for rounds and blocks. */
export const NO_END = i32.MAX_VALUE

/**
 * The stake positions one event changes. Each is loaded once, its former state kept as superseded where it held at the
 * end of an earlier block or round, and written once by save(): calls into the store are what costs time.
 */
export class StakePositions {
  private touched: StakePosition[] = []
  /** Block of the event. */
  readonly block: i32

  constructor(
    private event: ethereum.Event,
    private protocol: Protocol,
  ) {
    this.block = event.block.number.toI32()
  }

  /** The latest state of an account, to be changed; zeros for an account never seen. */
  of(account: Bytes): StakePosition {
    for (let i = 0; i < this.touched.length; i++) {
      if (this.touched[i].id == account) return this.touched[i]
    }
    const stored = StakePosition.load(account)
    const position = stored == null ? this.create(account) : stored
    this.supersede(position)
    this.touched.push(position)
    return position
  }

  /** The latest state of an account, only to be read; null for an account never seen. */
  find(account: Bytes): StakePosition | null {
    for (let i = 0; i < this.touched.length; i++) {
      if (this.touched[i].id == account) return this.touched[i]
    }
    return StakePosition.load(account)
  }

  /** The event cannot be true of this account: say so, and that its numbers are not exact from here on. */
  contradict(position: StakePosition, message: string): void {
    position.exact = false
    recordContradiction(this.protocol, this.event, position.id, message)
  }

  /** Writes all positions handed out by of(). */
  save(): void {
    for (let i = 0; i < this.touched.length; i++) this.touched[i].save()
  }

  private create(account: Bytes): StakePosition {
    const position = new StakePosition(account)
    position.account = getOrCreateAccount(account).id
    position.bondedAmount = BigInt.zero()
    position.lastClaimRound = 0
    position.startRound = 0
    position.delegatedAmount = BigInt.zero()
    position.delegatedAmountAtRoundStart = BigInt.zero()
    position.inPool = false
    position.activationRound = 0
    position.deactivationRound = 0
    position.lastRewardRound = 0
    position.cumulativeRewardFactor = BigInt.zero()
    position.cumulativeRewards = BigInt.zero()
    position.exact = true
    position.fromRound = this.protocol.currentRound + 1
    position.fromBlock = this.block
    position.untilRound = NO_END
    position.untilBlock = NO_END
    position.spansRoundStart = true
    return position
  }

  /** Saves the state as it was under an id of its own, if it held at a block's end or a round's start, and opens a new one. */
  private supersede(position: StakePosition): void {
    const fromRound = this.protocol.currentRound + 1
    if (position.fromBlock == this.block && position.fromRound == fromRound) return
    const account = position.id
    position.id = supersededPositionId(account, position.fromBlock, position.fromRound)
    position.untilRound = fromRound
    position.untilBlock = this.block
    position.spansRoundStart = position.fromRound != fromRound
    position.save()
    position.id = account
    position.untilRound = NO_END
    position.untilBlock = NO_END
    if (position.spansRoundStart) position.delegatedAmountAtRoundStart = position.delegatedAmount
    position.spansRoundStart = true
    position.fromRound = fromRound
    position.fromBlock = this.block
  }
}
