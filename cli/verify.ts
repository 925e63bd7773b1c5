import { BaseError } from 'viem'
import type { Api } from './api.ts'
import { CliError, messageOf } from './errors.ts'
import { Comparison } from './verification/comparison.ts'
import { cannotVerify } from './verification/contracts.ts'
import { compareProposal } from './verification/proposal.ts'
import { compareRound } from './verification/snapshot.ts'

/** What to verify, and against what. */
export interface VerifyOptions {
  round?: string
  proposal?: string
  rpc?: string
  network?: string
  /** How many holders, unless all. */
  sample: string
  all: boolean
  networksFile?: string
}

/** Compares as asked and prints what was compared; gives the exit code: 1 where something differs. */
export async function verify(api: Api, options: VerifyOptions): Promise<0 | 1> {
  const comparison = await compare(api, options, (line) => process.stdout.write(`${line}\n`))
  process.stdout.write(`${comparison.lines().join('\n')}\n`)
  if (!comparison.hasFigures) throw cannotVerify('no figure could be compared')
  return comparison.differences.length === 0 ? 0 : 1
}

/** Compares as asked; `say` takes a line about what is compared before it begins. CliError where it cannot. */
export async function compare(api: Api, options: VerifyOptions, say: Say): Promise<Comparison> {
  const { round, proposal } = options
  const comparison = new Comparison()
  try {
    if (round !== undefined) await compareRound(api, round, options, comparison, say)
    else if (proposal !== undefined) await compareProposal(api, proposal, options, comparison, say)
    else throw new CliError('give --round ROUND or --proposal ID')
  } catch (error) {
    if (error instanceof BaseError) throw new CliError(`The contracts cannot be asked: ${messageOf(error)}`)
    throw error
  }
  return comparison
}

/** Takes a line. */
export type Say = (line: string) => void
