// Which operation of its timelock a proposal was queued as: OpenZeppelin's GovernorTimelockControl and TimelockController.

import type { LogPosition } from './log.ts'
import type { TreasuryProposal } from './proposal.ts'

/** A call put into the timelock: TimelockController.CallScheduled. */
export interface ScheduledCall {
  /** The operation's id, of which there is one CallScheduled for each call. */
  operation: string
  /** Place of the call in the operation, from 0. */
  index: bigint
  target: string
  /** Wei of ETH. */
  value: bigint
  data: string
  at: LogPosition
}

/**
 * The id of the operation that a proposal was queued as, given where its ProposalQueued stands and the calls scheduled in
 * that transaction, in the order of logs. GovernorTimelockControl.queue has the timelock schedule the proposal's calls and
 * then says ProposalQueued, so it is the operation of the last call before it; a hash made of the description would be
 * another one where the chain's text is not what can be stored. Null where that call is not the proposal's last: then the
 * governor's timelock is not the one that is indexed.
 */
export function queuedOperation(
  { targets, values, calldatas }: Pick<TreasuryProposal, 'targets' | 'values' | 'calldatas'>,
  queued: Pick<LogPosition, 'logIndex'>,
  calls: readonly ScheduledCall[],
): string | null {
  const call = calls.findLast(({ at }) => at.logIndex < queued.logIndex)
  if (call === undefined) return null
  const isItsLast =
    call.index === BigInt(targets.length - 1) &&
    call.target === targets.at(-1) &&
    call.value === values.at(-1) &&
    call.data === calldatas.at(-1)
  return isItsLast ? call.operation : null
}
