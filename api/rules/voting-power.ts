// Voting power as a pure function over what the subgraph recorded. Amounts are wei, factors have 27 decimals.

/** 10^27: a cumulative reward factor of 1, and PreciseMathUtils' 100 %. */
const PRECISE_PERC_DIVISOR = 10n ** 27n

/** What BondingManager knew about one account's stake at some moment. */
export interface Stake {
  account: string
  /** Null when nothing is bonded. */
  delegate: string | null
  /** As of lastClaimRound. */
  bondedAmount: bigint
  /** 0 = never claimed. */
  lastClaimRound: number
  /** The delegate's cumulative reward factor of lastClaimRound; 0 = its pool was never written. */
  startFactor: bigint
  /** Stake delegated to the account. */
  delegatedAmount: bigint
  /** First round in the active set; 0 = never. */
  activationRound: number
  /** First round no longer in the active set; 0 = never was. */
  deactivationRound: number
  /** In the transcoder pool. */
  inPool: boolean
  /** 0 = never rewarded. */
  lastRewardRound: number
  /** Cumulative reward factor of lastRewardRound; 0 = never rewarded. */
  cumulativeRewardFactor: bigint
  /** A transcoder's own unclaimed rewards. */
  cumulativeRewards: bigint
  /** False where an event contradicted what it has as a delegator: its bond cannot be relied on. */
  isBondExact: boolean
  /** False where an event contradicted, or none told, what is delegated to it, or its place in the pool. */
  isDelegationExact: boolean
}

/** When stake is told: at the start of a round, where block is null; else at the end of a block, which lies in the round. */
export interface Moment {
  readonly round: number
  readonly block: number | null
}

/**
 * One account's voting power and stake at a moment; see VotingPower in schema.graphql for each field. Null stands for a
 * figure that the events of Ethereum L1 do not tell.
 */
export interface VotingPower extends Moment {
  account: string
  votes: bigint
  delegate: string | null
  isTranscoder: boolean
  isActive: boolean
  stake: bigint | null
  bondedAmount: bigint | null
  delegatedStake: bigint
  checkpointed: boolean
  /** Where the contract told it; what no contract was asked for is from events. */
  source?: 'CONTRACT'
}

/** What BondingManager itself answered about an account of Ethereum L1, at the end of a block; wei. */
export interface ToldStake {
  /** The zero address where there is none. */
  delegate: string
  bondedAmount: bigint
  /** With rewards up to a round. */
  pendingStake: bigint
  delegatedAmount: bigint
}

/** What an account never seen has. */
const NO_STAKE = {
  votes: 0n,
  delegate: null,
  isTranscoder: false,
  isActive: false,
  stake: 0n,
  bondedAmount: 0n,
  delegatedStake: 0n,
}

const ZERO_ADDRESS = '0x0000000000000000000000000000000000000000'

/** amount · numerator / denominator, each division rounded down (PreciseMathUtils.percOf). The denominator is not 0. */
function percOf(amount: bigint, numerator: bigint, denominator: bigint): bigint {
  return (amount * ((numerator * PRECISE_PERC_DIVISOR) / denominator)) / PRECISE_PERC_DIVISOR
}

/** An unwritten pool counts as factor 1 (EarningsPoolLIP36.delegatorCumulativeStakeAndFees). */
function factorOrOne(factor: bigint): bigint {
  return factor === 0n ? PRECISE_PERC_DIVISOR : factor
}

/** Stake of a delegator with the rewards its delegate brought since its last claim. */
function cumulativeStake(stake: Stake, delegate: Stake | undefined): bigint {
  const endFactor = factorOrOne(delegate?.cumulativeRewardFactor ?? 0n)
  return percOf(stake.bondedAmount, endFactor, factorOrOne(stake.startFactor))
}

/** Bonded to itself (BondingManager.isRegisteredTranscoder). */
export function isRegisteredTranscoder(stake: Stake | undefined): boolean {
  return stake !== undefined && stake.delegate === stake.account && stake.bondedAmount > 0n
}

/** BondingManager.pendingStake in the given round; what was claimed in it already has no rewards pending. */
export function pendingStake(stake: Stake, delegate: Stake | undefined, round: number): bigint {
  if (stake.delegate === null) return stake.bondedAmount
  const withRewards = stake.lastClaimRound < round ? cumulativeStake(stake, delegate) : stake.bondedAmount
  return stake.delegate === stake.account ? withRewards + stake.cumulativeRewards : withRewards
}

/** BondingVotes.getVotesAndDelegateAtRoundStart, first value. */
export function votes(stake: Stake, delegate: Stake | undefined): bigint {
  if (isRegisteredTranscoder(stake)) return stake.delegatedAmount
  if (stake.bondedAmount === 0n || delegate === undefined || !isRegisteredTranscoder(delegate)) return 0n
  if (delegate.lastRewardRound < stake.lastClaimRound) return stake.bondedAmount
  return cumulativeStake(stake, delegate)
}

/** Whether an active-set membership covers a round (BondingManager.isActiveTranscoder). */
export function isActiveTranscoder(
  stake: Pick<Stake, 'activationRound' | 'deactivationRound'>,
  round: number,
): boolean {
  return stake.activationRound <= round && round < stake.deactivationRound
}

/**
 * Voting power at a moment, from the account's and its delegate's stake as they were then; undefined stands for an account
 * never seen, which has zeros. At the end of a block votes are those of the round to come (BondingVotes.getVotes), and stake
 * and membership those of the round it lies in.
 */
export function votingPower(
  account: string,
  { round, block }: Moment,
  stake: Stake | undefined,
  delegate: Stake | undefined,
  checkpointed: boolean,
): VotingPower {
  if (stake === undefined) return { ...NO_STAKE, account, round, block, checkpointed }
  return {
    account,
    round,
    block,
    votes: votes(stake, delegate),
    delegate: stake.delegate === ZERO_ADDRESS ? null : stake.delegate,
    isTranscoder: isRegisteredTranscoder(stake),
    isActive: isActiveTranscoder(stake, round),
    stake: pendingStake(stake, delegate, round),
    bondedAmount: stake.bondedAmount,
    delegatedStake: stake.delegatedAmount,
    checkpointed,
  }
}

/** Whether an account is a registered transcoder on Ethereum L1: V1 has its pool only, Streamflow whoever bonds to itself. */
export function isRegisteredOnL1(stake: Stake, isStreamflow: boolean): boolean {
  return stake.inPool || (isStreamflow && isRegisteredTranscoder(stake))
}

/**
 * Voting power at a moment of Ethereum L1, under V1 or Streamflow: a registered transcoder's total stake
 * (BondingManager.transcoderTotalStake), zeros for who has nothing bonded, and undefined for a delegator: what it had
 * with rewards cannot be told from events, as V1's claims left none.
 */
export function l1VotingPower(
  account: string,
  { round, block }: Moment,
  stake: Stake | undefined,
  isStreamflow: boolean,
): VotingPower | undefined {
  if (stake === undefined) return { ...NO_STAKE, account, round, block, checkpointed: false }
  const isTranscoder = isRegisteredOnL1(stake, isStreamflow)
  if (!isTranscoder && stake.delegate !== null) return undefined
  return {
    account,
    round,
    block,
    votes: isTranscoder ? stake.delegatedAmount : 0n,
    delegate: isTranscoder ? account : null,
    isTranscoder,
    isActive: isActiveTranscoder(stake, round),
    stake: isTranscoder ? null : 0n,
    bondedAmount: isTranscoder ? null : 0n,
    delegatedStake: stake.delegatedAmount,
    checkpointed: false,
  }
}

/**
 * The same where BondingManager told what events do not, by the rule of BondingVotes: a delegator of a registered transcoder
 * has its own stake with rewards. What a bond of the launch left without a delegate is being unbonded, and so nobody's stake.
 */
export function l1ToldVotingPower(
  account: string,
  { round, block }: Moment,
  stake: Stake,
  told: ToldStake,
  { isTranscoder, isDelegateTranscoder }: { isTranscoder: boolean; isDelegateTranscoder: boolean },
): VotingPower {
  const isBonded = stake.delegate !== null
  const own = isBonded ? told.pendingStake : 0n
  return {
    account,
    round,
    block,
    votes: isTranscoder ? told.delegatedAmount : isDelegateTranscoder ? own : 0n,
    delegate: told.delegate === ZERO_ADDRESS ? null : told.delegate,
    isTranscoder,
    isActive: isActiveTranscoder(stake, round),
    stake: own,
    bondedAmount: isBonded ? told.bondedAmount : 0n,
    delegatedStake: told.delegatedAmount,
    checkpointed: false,
    source: 'CONTRACT',
  }
}

/** Most votes first, then lower address: the order of every list of voting powers. */
export function byVotes(a: VotingPower, b: VotingPower): number {
  if (a.votes !== b.votes) return a.votes > b.votes ? -1 : 1
  return a.account < b.account ? -1 : a.account > b.account ? 1 : 0
}
