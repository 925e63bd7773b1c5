// How an Aragon vote is counted (Voting.sol of @aragon/apps-voting). Pure: figures in, what the contract would answer out.

/** 100 % in Voting's settings (Voting.PCT_BASE). */
export const PCT_BASE = 10n ** 18n

/** A vote's figures at one moment; amounts are wei of the voting token. */
export interface AragonFigures {
  yea: bigint
  nay: bigint
  /** Total supply at the snapshot. */
  votingPower: bigint
  /** Fixed when the vote started, 10^18 = 100 %. */
  supportRequired: bigint
  minAcceptQuorum: bigint
  /** Whether yeas must be over the support required, as Voting has it, or may be equal to it. */
  strict: boolean
  /** Unix seconds. */
  startDate: bigint
  /** Seconds it is open. */
  voteTime: bigint
  executed: boolean
}

/** States of an Aragon vote. */
export type AragonState = 'ACTIVE' | 'SUCCEEDED' | 'DEFEATED' | 'EXECUTED'

/** Whether a value, as a part of total rounded down to 18 digits, is more than pct; never of nothing (Voting._isValuePct). */
function isOver(value: bigint, total: bigint, pct: bigint): boolean {
  return total !== 0n && (value * PCT_BASE) / total > pct
}

/** Whether a value is over the support required of a total, or by a rule that is not strict, equal to it; never of nothing. */
function isSupport(value: bigint, total: bigint, { supportRequired, strict }: AragonFigures): boolean {
  return (
    isOver(value, total, supportRequired) || (!strict && total !== 0n && (value * PCT_BASE) / total === supportRequired)
  )
}

/** Unix second from which it is no longer open by the clock: at exactly this second it is closed. */
export function aragonEndDate({ startDate, voteTime }: Pick<AragonFigures, 'startDate' | 'voteTime'>): bigint {
  return startDate + voteTime
}

/** Open at a Unix second: before its end and not executed (Voting._isVoteOpen). */
export function isVoteOpen(vote: AragonFigures, now: bigint): boolean {
  return now < aragonEndDate(vote) && !vote.executed
}

/** Yeas are over the support required among the votes cast. */
export function isSupportReached(vote: AragonFigures): boolean {
  return isSupport(vote.yea, vote.yea + vote.nay, vote)
}

/** Yeas are over the minimum quorum of all voting power; nays do not count for it. */
export function isAragonQuorumReached({ yea, votingPower, minAcceptQuorum }: AragonFigures): boolean {
  return isOver(yea, votingPower, minAcceptQuorum)
}

/** Yeas are over the support required even if all others said nay: it can be executed while it is open. */
export function isDecidedEarly(vote: AragonFigures): boolean {
  return isSupport(vote.yea, vote.votingPower, vote)
}

/** Whether executeVote would go through at a Unix second, as far as the vote itself goes (Voting._canExecute). */
export function canExecute(vote: AragonFigures, now: bigint): boolean {
  if (vote.executed) return false
  if (isDecidedEarly(vote)) return true
  return !isVoteOpen(vote, now) && isSupportReached(vote) && isAragonQuorumReached(vote)
}

/** EXECUTED once it is; ACTIVE while open, even where it can be executed already; then by whether it can be executed. */
export function aragonState(vote: AragonFigures, now: bigint): AragonState {
  if (vote.executed) return 'EXECUTED'
  if (isVoteOpen(vote, now)) return 'ACTIVE'
  return canExecute(vote, now) ? 'SUCCEEDED' : 'DEFEATED'
}

/** The least wei of yeas that reach the quorum: ⌈(minAcceptQuorum + 1) · votingPower / 10^18⌉. */
export function aragonQuorum({ votingPower, minAcceptQuorum }: AragonFigures): bigint {
  return ((minAcceptQuorum + 1n) * votingPower + PCT_BASE - 1n) / PCT_BASE
}
