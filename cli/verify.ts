import { SingleBar } from 'cli-progress'
import type { Progress } from '../api/verification/asking.ts'
import type { Compared, Comparison } from '../api/verification/comparison.ts'
import { NoAnswer, NothingToCompare } from '../api/verification/errors.ts'
import { compare, type Question } from '../api/verification/verification.ts'
import type { Api } from './api.ts'
import { contractsOver } from './contracts.ts'
import { CliError } from './errors.ts'

/** What to verify, and against what. */
export interface VerifyOptions {
  round?: string
  block?: string
  proposal?: string
  rpc?: string
  network?: string
  /** How many holders, unless all. */
  sample: string
  all: boolean
  networksFile?: string
}

/** Compares as asked and prints what was compared; gives the exit code: 1 where something differs. CliError where it cannot. */
export async function verify(api: Api, options: VerifyOptions): Promise<0 | 1> {
  const question = questionOf(options)
  const contracts = contractsOver(options.rpc, options.networksFile)
  const progress = new TerminalProgress()
  try {
    const comparison = await compare(question, { api, contracts, progress })
    process.stdout.write(`${report(comparison).join('\n')}\n`)
    if (!comparison.hasFigures) throw new NothingToCompare('no figure could be compared')
    return comparison.differences.length === 0 ? 0 : 1
  } catch (error) {
    if (error instanceof NothingToCompare) throw new CliError(`cannot verify: ${error.message}`, 2)
    if (error instanceof NoAnswer) throw new CliError(error.message)
    throw error
  } finally {
    progress.close()
  }
}

/** Both figures of a value that differs. */
export function differenceText({ what, where, contract, api }: Compared): string {
  return `${what} of ${where}: the contract answers ${contract}, the API ${api}`
}

/** A line for each kind of value that was compared, each note and each difference, then the sum. */
export function report({ counts, compared, differences, notes, unchecked }: Comparison): string[] {
  return [
    ...[...counts].map(([what, count]) => `compared      ${what}: ${count}`),
    ...[...notes, ...unchecked.map(({ why }) => why)].map((note) => `not compared  ${note}`),
    ...differences.map((difference) => `DIFFERENCE    ${differenceText(difference)}`),
    `${compared} values compared, ${differences.length} differ`,
  ]
}

function questionOf({ round, block, proposal, network, sample, all }: VerifyOptions): Question {
  const holders = all ? Number.POSITIVE_INFINITY : Number(sample)
  if (round !== undefined) return { round, network, holders }
  if (block !== undefined) return { block, network, holders }
  if (proposal !== undefined) return { proposal }
  throw new CliError('give --round ROUND, --block BLOCK or --proposal ID')
}

/** A line on standard output about what is compared, and a bar while accounts are asked about. */
class TerminalProgress implements Progress {
  #bar: SingleBar | undefined

  begin(line: string): void {
    process.stdout.write(`${line}\n`)
  }

  advance(what: string, done: number, total: number): void {
    if (!process.stderr.isTTY) return
    this.#bar ??= startBar(what, total)
    this.#bar.update(done)
    if (done === total) this.close()
  }

  /** Takes the bar away. */
  close(): void {
    this.#bar?.stop()
    this.#bar = undefined
  }
}

function startBar(what: string, total: number): SingleBar {
  const bar = new SingleBar({
    format: `${what.padEnd(6)} {bar} {value} of {total}`,
    stream: process.stderr,
    hideCursor: true,
    clearOnComplete: true,
  })
  bar.start(total, 0)
  return bar
}
