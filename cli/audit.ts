import { setTimeout as pause } from 'node:timers/promises'
import { SingleBar } from 'cli-progress'
import type { Contracts } from '../api/verification/contracts.ts'
import { NoAnswer, NothingToCompare } from '../api/verification/errors.ts'
import { compare, type Question } from '../api/verification/verification.ts'
import type { Api } from './api.ts'
import { AuditFile, type AuditLine, type AuditPlan, FORMAT } from './audit-file.ts'
import { contractsOver } from './contracts.ts'
import { CliError, NotAvailable, Refused } from './errors.ts'
import { differenceText } from './verify.ts'

/** What of a chain's history to compare, and with what. */
export interface AuditOptions {
  rpc: string
  network?: string
  from?: string
  to?: string
  /** Every so many rounds. */
  every: string
  /** How many holders of a round, unless all. */
  sample: string
  all: boolean
  figures: 'all' | 'votes'
  networksFile?: string
  output?: string
}

/** All agrees, something differs, nothing could be compared, or not everything. */
export type AuditExit = 0 | 1 | 2 | 3

/** How long to wait before a node, or the API, is asked again that did not answer, milliseconds; then a subject is given up. */
const WAITS_MS = [500, 2000]
/** So many subjects without an answer, one after the other, or none with one, and nobody is there. */
const UNANSWERED = 5

/**
 * Compares every round and everything proposed on a chain with its contracts, and reports it; gives the exit code. CliError
 * where it cannot go on: the same command again goes on where it was, if it has an output.
 */
export async function audit(api: Api, options: AuditOptions): Promise<AuditExit> {
  const asked = askedFor(options)
  const file = await AuditFile.open(options.output, asked, () => planOf(api, options, asked))
  const { plan } = file
  const subjects = subjectsOf(plan)
  const contracts = contractsOver(options.rpc, options.networksFile)
  process.stdout.write(
    `${plan.network}: rounds ${plan.fromRound} to ${plan.toRound}${plan.every === 1 ? '' : `, every ${plan.every}`}, ` +
      `${plan.proposals.length} proposals\n`,
  )
  const bar = process.stderr.isTTY ? startBar(subjects.length) : undefined
  let [unanswered, answered] = [0, 0]
  try {
    for (const [place, subject] of subjects.entries()) {
      const known = file.find(subject)
      if (known === undefined || isUnanswered(known)) {
        const line = await compareSubject(subject, { api, contracts, options, network: plan.network })
        await file.add(line)
        const isWithout = isUnanswered(line)
        unanswered = isWithout ? unanswered + 1 : 0
        answered += isWithout ? 0 : 1
        if (unanswered > 0 && (answered === 0 || unanswered === UNANSWERED))
          throw new CliError(`${line.unchecked[0]?.why}; ${howToGoOn(options)}`)
      }
      bar?.update(place + 1)
    }
  } finally {
    bar?.stop()
  }
  const lines = subjects.flatMap((subject) => file.find(subject) ?? [])
  const sums = sumsOf(lines)
  await file.finish(subjects, { sums })
  process.stdout.write(`${report(lines).join('\n')}\n`)
  if (sums.differences > 0) return 1
  if (sums.compared === 0) return 2
  return sums.unchecked > 0 ? 3 : 0
}

/** A line for each kind of value that was compared, what could not be, and each difference, then the sum. */
function report(lines: readonly AuditLine[]): string[] {
  const counts = new Map<string, number>()
  for (const { compared } of lines) {
    for (const [what, count] of Object.entries(compared)) counts.set(what, (counts.get(what) ?? 0) + count)
  }
  const { compared, differences, unchecked } = sumsOf(lines)
  return [
    ...[...counts].map(([what, count]) => `compared      ${what}: ${count}`),
    ...reasons(lines),
    ...lines.flatMap(({ subject, differences }) =>
      differences.map((difference) => `DIFFERENCE    ${nameOf(subject)}: ${differenceText(difference)}`),
    ),
    `${compared} values compared, ${differences} differ, ${unchecked} could not be compared`,
  ]
}

/** How much could not be compared for what reason, with an example of each. */
function reasons(lines: readonly AuditLine[]): string[] {
  const all = lines.flatMap(({ subject, unchecked }) => unchecked.map((one) => ({ subject, ...one })))
  return [...new Set(all.map(({ reason }) => reason))].map((reason) => {
    const [first, ...others] = all.filter((one) => one.reason === reason)
    const more = others.length === 0 ? '' : `, and ${others.length} more`
    return `unchecked     ${reason}: ${nameOf(first?.subject ?? '')}: ${first?.why}${more}`
  })
}

function sumsOf(lines: readonly AuditLine[]) {
  const figures = lines.flatMap(({ compared }) => Object.values(compared))
  return {
    subjects: lines.length,
    compared: figures.reduce((sum, count) => sum + count, 0),
    differences: lines.reduce((sum, { differences }) => sum + differences.length, 0),
    unchecked: lines.reduce((sum, { unchecked }) => sum + unchecked.length, 0),
  }
}

/** What of the options decides what is compared: not where the report goes, nor which node is asked. */
function askedFor({ network, from, to, every, sample, all, figures }: AuditOptions): AuditPlan['asked'] {
  const given = { network, from, to, every, holders: all ? 'all' : sample, figures }
  return Object.fromEntries(Object.entries(given).filter((entry): entry is [string, string] => entry[1] !== undefined))
}

interface ChainRounds {
  network: string
  firstRound: number | null
  round: number | null
}

/** CliError where it is not clear which chain is meant, or a round is none of it. */
async function planOf(api: Api, options: AuditOptions, asked: AuditPlan['asked']): Promise<AuditPlan> {
  const { status } = await api.query<{ status: ChainRounds[] }>('{ status { network firstRound round } }')
  const named = options.network === undefined ? status : status.filter(({ network }) => network === options.network)
  const [chain, ...others] = named
  const names = status.map(({ network }) => network).join(', ')
  if (chain === undefined) throw new CliError(`there is no network ${options.network} here; there are: ${names}`)
  if (others.length > 0) throw new CliError(`several chains are indexed (${names}): give --network NAME`)
  const { network, firstRound, round } = chain
  // The start of the last round a reorganisation may still undo; the running API compares it itself.
  const last = (round ?? 0) - 1
  const [from, to] = [Number(options.from ?? firstRound ?? 0), Number(options.to ?? last)]
  const hasRounds = firstRound !== null && firstRound <= last
  if (hasRounds && (from < firstRound || to > last || from > to)) {
    throw new CliError(`rounds ${from} to ${to} cannot be audited: rounds ${firstRound} to ${last} can`)
  }
  const proposals = await proposalsOf(api, network, options)
  const rounds = hasRounds ? { fromRound: from, toRound: to } : { fromRound: 0, toRound: -1 }
  return { format: FORMAT, network, asked, ...rounds, every: Number(options.every), proposals }
}

/** Those that are over, and those that the API cannot count, which it is to say of each; created in the rounds asked for. */
async function proposalsOf(api: Api, network: string, { from, to }: AuditOptions): Promise<string[]> {
  const path = `/proposals.ndjson?${new URLSearchParams({ network })}`
  const { rows } = await api.rows<object, { id: string; block: number; final: boolean | null }>(path)
  const over = rows.filter(({ final }) => final !== false)
  if (from === undefined && to === undefined) return over.map(({ id }) => id)
  const inRounds: string[] = []
  for (const { id, block } of over) {
    const { roundAt } = await api.query<{ roundAt: { number: number } | null }>(
      'query ($block: BigInt!, $network: String) { roundAt(block: $block, network: $network) { number } }',
      { block: String(block), network },
    )
    const round = roundAt?.number ?? 0
    if (round >= Number(from ?? 0) && round <= Number(to ?? Infinity)) inRounds.push(id)
  }
  return inRounds
}

function subjectsOf({ fromRound, toRound, every, proposals }: AuditPlan): string[] {
  const count = Math.max(0, Math.floor((toRound - fromRound) / every) + 1)
  return [...Array.from({ length: count }, (_, index) => String(fromRound + index * every)), ...proposals]
}

function nameOf(subject: string): string {
  return /^\d+$/.test(subject) ? `round ${subject}` : subject
}

function questionOf(subject: string, network: string, { sample, all, figures }: AuditOptions): Question {
  if (!/^\d+$/.test(subject)) return { proposal: subject }
  const holders = all ? Number.POSITIVE_INFINITY : Number(sample)
  return { round: subject, network, holders, ...(figures === 'votes' ? { figures: 'VOTES' } : {}) }
}

/** Asks again what did not answer. CliError where the API does not answer at all, or the contracts are not there. */
async function compareSubject(
  subject: string,
  asked: { api: Api; contracts: Contracts; network: string; options: AuditOptions },
): Promise<AuditLine> {
  for (const wait of [...WAITS_MS, null]) {
    try {
      const line = await compareOnce(subject, asked)
      if (!isUnanswered(line) || wait === null) return line
      await pause(wait)
    } catch (error) {
      if (!(error instanceof NotAvailable)) throw error
      if (wait === null) throw new CliError(`${error.message}; ${howToGoOn(asked.options)}`)
      await pause(Math.max(wait, error.retryAfterSeconds * 1000))
    }
  }
  throw new Error('the last wait is none')
}

async function compareOnce(
  subject: string,
  { api, contracts, network, options }: { api: Api; contracts: Contracts; network: string; options: AuditOptions },
): Promise<AuditLine> {
  const nothing = { subject, compared: {}, differences: [], notes: [] }
  try {
    const comparison = await compare(questionOf(subject, network, options), {
      api,
      contracts,
      progress: { begin: () => {}, advance: () => {} },
    })
    if (comparison.isOfOtherChain) {
      throw new CliError('cannot audit: the RPC has another hash of a block: it is of another chain or branch', 2)
    }
    const { counts, differences, unchecked, notes } = comparison
    return { subject, compared: Object.fromEntries(counts), differences, unchecked, notes }
  } catch (error) {
    if (error instanceof NothingToCompare) throw new CliError(`cannot audit: ${error.message}`, 2)
    if (error instanceof NoAnswer) {
      return { ...nothing, unchecked: [{ what: nameOf(subject), reason: error.reason, why: error.message }] }
    }
    if (!(error instanceof Refused)) throw error
    return { ...nothing, unchecked: [{ what: nameOf(subject), reason: 'NO_FIGURE', why: error.message }] }
  }
}

/** Whether a node may tell more of it when it is asked again. */
function isUnanswered({ unchecked }: AuditLine): boolean {
  return unchecked.some(({ reason }) => reason === 'NO_ANSWER')
}

function howToGoOn({ output }: AuditOptions): string {
  return output === undefined ? 'with --output FILE it can be resumed' : 'the same command again goes on from here'
}

function startBar(total: number): SingleBar {
  const bar = new SingleBar({
    format: 'audit {bar} {value} of {total}, {eta_formatted} to go',
    stream: process.stderr,
    hideCursor: true,
    clearOnComplete: true,
    etaBuffer: 50,
  })
  bar.start(total, 0)
  return bar
}
