import { BigInt, Bytes, ethereum, store } from '@graphprotocol/graph-ts'
import { DelegatorPosition, Protocol, TranscoderPosition } from '../generated/schema'
import { toHex } from '../ids'
import { getOrCreateAccount, isZeroAddress } from './account'
import { ChangingState, NO_END } from './changing-state'
import { recordContradiction } from './contradiction'

const DELEGATOR = 'DelegatorPosition'
const TRANSCODER = 'TranscoderPosition'

/**
 * The positions that one event changes, of delegators and of transcoders. Each is loaded once and written once, by save(),
 * where anything about it changed: calls into the store are what costs time.
 */
export class StakePositions {
  private delegators: DelegatorPosition[] = []
  private delegatorChanges: ChangingState[] = []
  private transcoders: TranscoderPosition[] = []
  private transcoderChanges: ChangingState[] = []
  /** Block of the event. */
  readonly block: i32

  constructor(
    private event: ethereum.Event,
    private protocol: Protocol,
  ) {
    this.block = event.block.number.toI32()
  }

  /** What an account has as a delegator, to be read or changed; zeros for an account never seen. */
  delegator(account: Bytes): DelegatorPosition {
    for (let i = 0; i < this.delegators.length; i++) {
      if (this.delegators[i].id == account) return this.delegators[i]
    }
    const key = toHex(account)
    const stored = store.get(DELEGATOR, key)
    const position = stored == null ? newDelegatorPosition(account) : changetype<DelegatorPosition>(stored)
    const changes = new ChangingState(DELEGATOR, key, position, stored != null)
    this.delegators.push(position)
    this.delegatorChanges.push(changes)
    return position
  }

  /** What an account has as a transcoder, or as any other delegate, to be read or changed; zeros for an account never seen. */
  transcoder(account: Bytes): TranscoderPosition {
    for (let i = 0; i < this.transcoders.length; i++) {
      if (this.transcoders[i].id == account) return this.transcoders[i]
    }
    const key = toHex(account)
    const stored = store.get(TRANSCODER, key)
    const position = stored == null ? newTranscoderPosition(account) : changetype<TranscoderPosition>(stored)
    const changes = new ChangingState(TRANSCODER, key, position, stored != null)
    if (stored != null && position.fromRound <= this.protocol.currentRound) {
      position.delegatedAmountAtRoundStart = position.delegatedAmount
      changes.begin()
    }
    this.transcoders.push(position)
    this.transcoderChanges.push(changes)
    return position
  }

  /** The event cannot be true of what this account had bonded: say so, and that it is not exact from here on. */
  contradictDelegator(position: DelegatorPosition, message: string): void {
    position.exact = false
    recordContradiction(this.protocol, this.event, position.id, 'DELEGATOR', message)
  }

  /** The event cannot be true of the stake delegated to this account, or of its place in the pool. */
  contradictTranscoder(position: TranscoderPosition, message: string): void {
    position.exact = false
    recordContradiction(this.protocol, this.event, position.id, 'TRANSCODER', message)
  }

  /** Stake of this account was moved by an event never seen: the delegates it can have been moved to or from are not exact. */
  contradictDelegates(owner: DelegatorPosition, told: Bytes): void {
    const message = `stake of ${owner.id.toHexString()} was moved by an event never seen`
    const known = owner.delegate
    if (known) this.contradictTranscoder(this.transcoder(known), message)
    const isOther = known ? known != told : true
    if (isOther && !isZeroAddress(told)) this.contradictTranscoder(this.transcoder(told), message)
  }

  /** Writes all positions that changed. */
  save(): void {
    const round = this.protocol.currentRound + 1
    for (let i = 0; i < this.delegators.length; i++) {
      const account = this.delegators[i].id
      if (this.delegatorChanges[i].save(account, this.block, round)) getOrCreateAccount(account)
    }
    for (let i = 0; i < this.transcoders.length; i++) {
      const account = this.transcoders[i].id
      if (this.transcoderChanges[i].save(account, this.block, round)) getOrCreateAccount(account)
    }
  }
}

function newDelegatorPosition(account: Bytes): DelegatorPosition {
  const position = new DelegatorPosition(account)
  position.account = account
  position.bondedAmount = BigInt.zero()
  position.lastClaimRound = 0
  position.startRound = 0
  position.exact = true
  position.fromRound = 0
  position.fromBlock = 0
  position.untilRound = NO_END
  position.untilBlock = NO_END
  return position
}

function newTranscoderPosition(account: Bytes): TranscoderPosition {
  const position = new TranscoderPosition(account)
  position.account = account
  position.delegatedAmount = BigInt.zero()
  position.delegatedAmountAtRoundStart = BigInt.zero()
  position.inPool = false
  position.activationRound = 0
  position.deactivationRound = 0
  position.lastRewardRound = 0
  position.cumulativeRewardFactor = BigInt.zero()
  position.cumulativeRewards = BigInt.zero()
  position.exact = true
  position.fromRound = 0
  position.fromBlock = 0
  position.untilRound = NO_END
  position.untilBlock = NO_END
  return position
}
