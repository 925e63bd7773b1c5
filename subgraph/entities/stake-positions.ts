import { BigInt, Bytes, ethereum } from '@graphprotocol/graph-ts'
import { Protocol, StakePosition } from '../generated/schema'
import { supersededPositionId } from '../ids'
import { getOrCreateAccount } from './account'
import { Changes } from './changes'
import { recordContradiction } from './contradiction'

/** "No end yet", for rounds and blocks. */
export const NO_END = i32.MAX_VALUE

/**
 * The stake positions one event changes. Each is loaded once, its former state kept as superseded where it held at the
 * end of an earlier block or round, and written once by save(): calls into the store are what costs time.
 */
export class StakePositions {
  private touched: StakePosition[] = []
  private changes: Changes<StakePosition>[] = []
  private block: i32

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
    const position = stored == null ? new StakePosition(account) : stored
    if (stored != null) this.supersede(position)
    this.touched.push(position)
    this.changes.push(new Changes<StakePosition>('StakePosition', position))
    if (stored == null) this.initialise(position)
    else this.open(position)
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
    for (let i = 0; i < this.touched.length; i++) this.changes[i].save(this.touched[i].id)
  }

  private initialise(position: StakePosition): void {
    position.account = getOrCreateAccount(position.id).id
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
  }

  /** Saves the state as it was under an id of its own, if it held at a block's end or a round's start. */
  private supersede(position: StakePosition): void {
    if (this.isOfThisBlock(position)) return
    const account = position.id
    position.id = supersededPositionId(account, position.fromBlock, position.fromRound)
    position.untilRound = this.protocol.currentRound + 1
    position.untilBlock = this.block
    position.spansRoundStart = position.fromRound != position.untilRound
    position.save()
    position.id = account
    position.untilRound = NO_END
    position.untilBlock = NO_END
    position.spansRoundStart = true
  }

  /** Lets the state hold from this event on, where the one before was superseded. */
  private open(position: StakePosition): void {
    if (this.isOfThisBlock(position)) return
    const fromRound = this.protocol.currentRound + 1
    if (position.fromRound != fromRound) position.delegatedAmountAtRoundStart = position.delegatedAmount
    position.fromRound = fromRound
    position.fromBlock = this.block
  }

  private isOfThisBlock(position: StakePosition): boolean {
    return position.fromBlock == this.block && position.fromRound == this.protocol.currentRound + 1
  }
}
