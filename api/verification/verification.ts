import { BaseError } from 'viem'
import type { Sources } from './asking.ts'
import { Comparison } from './comparison.ts'
import { NoAnswer } from './errors.ts'
import { nodeWords, tellsNoState } from './node.ts'
import { compareProposal, type ProposalQuestion } from './proposal.ts'
import { compareSnapshot, type SnapshotQuestion } from './snapshot.ts'

/** What to verify: a snapshot, or the tally of a proposal by its id. */
export type Question = SnapshotQuestion | ProposalQuestion

/**
 * Compares what the API says with what the contracts answer. Throws NothingToCompare and NoAnswer, and what the sources
 * throw.
 */
export async function compare(question: Question, sources: Sources): Promise<Comparison> {
  const { progress } = sources
  const comparison = new Comparison((compared) => progress.compared?.(compared))
  try {
    if ('proposal' in question) await compareProposal(question, sources, comparison)
    else await compareSnapshot(question, sources, comparison)
  } catch (error) {
    if (!(error instanceof BaseError)) throw error
    const reason = tellsNoState(error) ? 'NO_STATE' : 'NO_ANSWER'
    throw new NoAnswer(`The contracts cannot be asked: ${nodeWords(error)}`, reason)
  }
  return comparison
}
