import { setTimeout as pause } from 'node:timers/promises'
import pLimit, { type LimitFunction } from 'p-limit'
import { type Address, createPublicClient, isAddress } from 'viem'
import { ApiError } from '../facts/errors.ts'
import type { Anchor } from '../facts/facts-file.ts'
import type { FactsSource } from '../facts/followed-chain.ts'
import { isStaleNow } from '../facts/freshness.ts'
import { verifyingTransport } from '../facts/rpc.ts'
import type { Context } from '../graphql/context.ts'
import type { Comparison } from '../verification/comparison.ts'
import type { Contracts } from '../verification/contracts.ts'
import { messageOf, NoAnswer, NothingToCompare, type UncheckedReason } from '../verification/errors.ts'
import { compare, type Question } from '../verification/verification.ts'
import type { ChainView } from '../views/chain-view.ts'
import { type GovernanceView, globalId, type ProposalInView } from '../views/governance-view.ts'
import type { VerificationOff, VerificationRecord, VerifiedSubject } from '../views/verification-record.ts'
import { ownFiles } from './own-files.ts'

/** Holders asked about in a round: with the round itself some 25 calls, in one or a few requests. */
const HOLDERS_A_ROUND = 20
/** Voters asked about on a proposal, two calls each; a poll, which is counted anew, takes four for each of its voters. */
const VOTERS_A_PROPOSAL = 20
/** Of what there is when the server begins, how many of the last rounds and of the last closed proposals are compared. */
const ROUNDS_AT_START = 3
const PROPOSALS_AT_START = 20
/** How often it is looked what there is to compare. */
const LOOK_MS = 5000
/** How soon what could not be compared, or differs, is compared anew: twice as long each time, up to an hour. */
const RETRY_MS = 60_000
const LONGEST_RETRY_MS = 3_600_000
const TIMEOUT_MS = 15_000
/** A round is read so many blocks before the head, but not before it began: of the nodes behind one URL some lag. */
const SEEN_BY_ALL = 20

/** How a server compares itself with the contracts, where not by the defaults. */
export interface SelfCheckOptions {
  /** Milliseconds from one look at what there is to compare to the next; 5,000. */
  lookMs?: number
  /** Milliseconds until what could not be compared, or differs, is compared anew for the first time; 60,000. */
  retryMs?: number
  /** Takes a line about what differs, and what cannot be compared. */
  log?: (line: string) => void
}

/** Why nothing of a chain can be compared; null where it can. */
export function whyNotCompared({ rpcUrl, contracts }: FactsSource): VerificationOff | null {
  if (rpcUrl === undefined) return 'NO_RPC'
  return contracts === undefined || Object.keys(contracts).length === 0 ? 'NO_CONTRACTS' : null
}

/** What is to be compared, and what it would be compared as now: where that changes, what was found holds no more. */
interface Candidate {
  subject: VerifiedSubject
  version: string
}

/** What is known of a subject that was compared. */
interface Compared extends Candidate {
  /** The block that it was compared as of, while a reorganisation may undo that. */
  pin: Anchor | null
  tries: number
  /** When it is compared anew, by performance.now(). */
  dueAt: number
}

/**
 * Compares what the server answers of one chain with the chain's contracts, for as long as it runs: each round once it began,
 * and each proposal once it is over. One subject at a time, some calls each; nothing that answers waits for it.
 */
export class SelfCheck {
  readonly #compared = new Map<string, Compared>()
  readonly #contracts: Contracts
  readonly #end = new AbortController()
  readonly #options: Required<SelfCheckOptions>
  #first: { round: number; proposals: ReadonlySet<string> } | undefined
  #isBegun = false

  /** `inTurn` lets those of all chains ask one after the other. */
  constructor(
    private readonly source: FactsSource,
    private readonly record: VerificationRecord,
    private readonly newContext: () => Context,
    { lookMs = LOOK_MS, retryMs = RETRY_MS, log = () => {} }: SelfCheckOptions,
    private readonly inTurn: LimitFunction = pLimit(1),
  ) {
    this.#options = { lookMs, retryMs, log }
    this.#contracts = contractsOf(source)
  }

  /** Begins to compare, where there is anything to compare with. */
  start(): this {
    if (this.record.off === null && !this.#isBegun) void this.#check()
    this.#isBegun = true
    return this
  }

  /** Ends; what a node is being asked is not waited for, and not taken. */
  close(): void {
    this.#end.abort()
  }

  async #check(): Promise<void> {
    const { signal } = this.#end
    while (!signal.aborted) {
      try {
        await this.#look()
      } catch (error) {
        // Without facts there is nothing to compare; what else goes wrong is a mistake of this code.
        if (!(error instanceof ApiError))
          this.#options.log(`comparing ${this.source.network} failed: ${stackOf(error)}`)
      }
      await pause(this.#options.lookMs, undefined, { signal }).catch(() => {})
    }
  }

  /** Compares all that is due. */
  async #look(): Promise<void> {
    // While it catches up it passes rounds and proposals by that an audit is for.
    if (isStaleNow(this.source.state)) return
    const candidates = this.#candidates()
    await this.#forgetWhatIsGone(candidates)
    const due = candidates.filter((candidate) => this.#isDue(candidate))
    const isNew = (candidate: Candidate) => !this.#compared.has(nameOf(candidate.subject))
    this.record.pending = candidates.filter(isNew).length
    for (const candidate of due) {
      if (this.#end.signal.aborted) return
      await this.inTurn(() => this.#compare(candidate))
      this.record.pending = candidates.filter(isNew).length
    }
  }

  #isDue({ subject }: Candidate): boolean {
    return (this.#compared.get(nameOf(subject))?.dueAt ?? 0) <= performance.now()
  }

  /** The latest first: what it is about now matters most. */
  #candidates(): Candidate[] {
    const { view, governance } = this.#views(this.newContext())
    const { facts } = view
    const { deployment } = facts.head
    const over = governance.proposals().filter((proposal) => governance.isOver(proposal))
    this.#first ??= {
      round: facts.stake.rounds.at(-ROUNDS_AT_START)?.number ?? 0,
      proposals: new Set(over.toSorted(latestFirst).slice(PROPOSALS_AT_START).map(globalId)),
    }
    const { round: firstRound, proposals: leftOut } = this.#first
    const rounds = facts.stake.rounds
      .filter(({ number }) => this.source.contracts?.BondingVotes !== undefined && number >= firstRound)
      .map(({ number, blockHash }) => ({
        subject: { round: number, proposal: null },
        version: `${deployment} ${blockHash}`,
      }))
      .reverse()
    const proposals = over
      .filter((proposal) => !leftOut.has(globalId(proposal)))
      .toSorted(latestFirst)
      .map((proposal) => ({
        subject: { round: null, proposal: globalId(proposal) },
        version: `${deployment} ${lastEventOf(proposal)}`,
      }))
    return [...rounds, ...proposals]
  }

  /** Of another chain than what was compared there is nothing left: reorganised, loaded anew, or something happened since. */
  async #forgetWhatIsGone(candidates: readonly Candidate[]): Promise<void> {
    const versions = new Map(candidates.map(({ subject, version }) => [nameOf(subject), version]))
    const { mark } = this.source.facts
    for (const [name, compared] of this.#compared) {
      const isSame = versions.get(name) === compared.version && (await this.#isOnChain(compared.pin))
      if (!isSame) {
        this.#compared.delete(name)
        this.record.forget(compared.subject)
      } else if (compared.pin !== null && compared.pin.block <= mark) compared.pin = null
    }
  }

  /** False where it certainly is not. */
  async #isOnChain(pin: Anchor | null): Promise<boolean> {
    try {
      if (pin !== null) await this.source.factsAt(pin)
      return true
    } catch (error) {
      if (error instanceof ApiError) return error.code !== 'BLOCK_REORGED'
      throw error
    }
  }

  async #compare({ subject, version }: Candidate): Promise<void> {
    const context = this.newContext()
    const { view } = this.#views(context)
    const { head, stake } = view.facts
    const begun = subject.round === null ? 0 : (stake.roundFrom(subject.round)?.block ?? 0)
    const readAt = Math.max(begun, head.block - SEEN_BY_ALL)
    const outcome = await this.#outcome(subject, context, BigInt(readAt))
    if (this.#end.signal.aborted) return
    const name = nameOf(subject)
    const tries = (this.#compared.get(name)?.tries ?? 0) + 1
    const { differences, unchecked } = outcome
    const isDone = differences.length === 0 && unchecked.length === 0
    const wait = Math.min(this.#options.retryMs * 2 ** (tries - 1), LONGEST_RETRY_MS)
    const pin = head.blockHash === null ? null : { block: head.block, hash: head.blockHash }
    this.#compared.set(name, { subject, version, pin, tries, dueAt: isDone ? Infinity : performance.now() + wait })
    const known = JSON.stringify(this.record.differencesOf(subject).map(({ block: _, ...value }) => value))
    this.record.take(subject, {
      compared: outcome.compared,
      differences: differences.map((difference) => ({ ...subject, ...difference, block: head.block })),
      unchecked: unchecked.map(({ what, reason }) => ({ ...subject, what, reason })),
    })
    const about = `${this.source.network}: ${subject.proposal ?? `round ${subject.round}`}`
    const found = JSON.stringify(this.record.differencesOf(subject).map(({ block: _, ...value }) => value))
    // Each once: that it still is so is in the status.
    if (found !== known) {
      if (differences.length === 0) this.#options.log(`${about} agrees with the contracts now`)
      for (const { what, where, contract, api } of differences) {
        this.#options.log(`${about} DIFFERS: ${what} of ${where}: the contract answers ${contract}, the API ${api}`)
      }
    }
    if (tries === 1) for (const { why } of unchecked) this.#options.log(`${about} could not be compared: ${why}`)
  }

  /** What comparing came to; what cannot be compared is told, whatever the reason. */
  async #outcome(
    subject: VerifiedSubject,
    context: Context,
    readAt: bigint,
  ): Promise<Pick<Comparison, 'compared' | 'differences' | 'unchecked'>> {
    const nothing = (reason: UncheckedReason, why: string) => {
      const what = subject.proposal ?? `round ${subject.round}`
      return { compared: 0, differences: [], unchecked: [{ what, reason, why }] }
    }
    const question: Question =
      subject.proposal === null
        ? {
            round: String(subject.round),
            network: this.source.network,
            holders: HOLDERS_A_ROUND,
            figures: 'VOTES',
            readAt,
          }
        : { proposal: subject.proposal, voters: VOTERS_A_PROPOSAL }
    try {
      const comparison = await compare(question, {
        api: ownFiles(context),
        contracts: this.#contracts,
        progress: { begin: () => {}, advance: () => this.#end.signal.throwIfAborted() },
      })
      // That it is the same chain is no figure of it.
      const compared = comparison.hasFigures ? comparison.compared : 0
      const { differences, unchecked } = comparison
      if (!comparison.isOfOtherChain) return { compared, differences, unchecked }
      return nothing('OTHER_CHAIN', 'the RPC has another hash of the block: it is of another chain or branch')
    } catch (error) {
      if (error instanceof NothingToCompare) return nothing('NO_CONTRACT', error.message)
      if (error instanceof NoAnswer) return nothing(error.reason, error.message)
      if (error instanceof ApiError) return nothing('NO_FIGURE', error.message)
      return nothing('NO_ANSWER', stackOf(error))
    }
  }

  #views({ chains, governance }: Context): { view: ChainView; governance: GovernanceView } {
    const view = chains.named(this.source.network)
    const own = governance.find(({ chainView }) => chainView === view)
    if (own === undefined) throw new Error(`${view.network} has no proposals`)
    return { view, governance: own }
  }
}

function contractsOf({ network, rpcUrl, contracts = {} }: FactsSource): Contracts {
  // What fails is tried again later, so that nobody is pressed.
  const options = { timeout: TIMEOUT_MS, retryCount: 0 }
  const client =
    rpcUrl === undefined ? undefined : createPublicClient({ transport: verifyingTransport(rpcUrl, options) })
  return {
    clientOf: () => {
      if (client === undefined) throw new NothingToCompare(`there is no RPC of ${network}`)
      return client
    },
    addressOf: (_network, contract): Address => {
      const address = contracts[contract]
      if (address !== undefined && isAddress(address, { strict: false })) return address
      throw new NothingToCompare(`where ${contract} of ${network} is was not told`)
    },
  }
}

function latestFirst(a: ProposalInView, b: ProposalInView): number {
  return b.createdAt.timestamp - a.createdAt.timestamp || b.createdAt.logIndex - a.createdAt.logIndex
}

/** What happened to a proposal last: with something new it is compared anew. */
function lastEventOf(proposal: ProposalInView): string {
  const at =
    proposal.system === 'TREASURY'
      ? proposal.events.at(-1)?.at
      : proposal.system === 'ARAGON'
        ? proposal.execution?.at
        : undefined
  return at === undefined ? '' : `${at.block} ${at.logIndex}`
}

function nameOf({ round, proposal }: VerifiedSubject): string {
  return `${round} ${proposal}`
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? messageOf(error)) : String(error)
}
