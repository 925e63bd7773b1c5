import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { keccak256, toHex } from 'viem'
import { BlockLog, timestampOf } from './block-log.ts'
import {
  type Action,
  GovernanceModel,
  isPollPassed,
  type Poll,
  type Proposal,
  type Support,
} from './governance-model.ts'
import { mulberry32 } from './random.ts'
import { isRegistered, type Lock, type Parameter, type StakeAccount, StakeModel, ZERO_ADDRESS } from './stake-model.ts'

/** How large a made-up chain is. The same size and seed give the same bytes. */
export interface ChainSize {
  seed: number
  /** That hold stake at some time, transcoders included. */
  accounts: number
  /** Of them; nine of ten find room in the pool. */
  transcoders: number
  rounds: number
  /** Blocks. */
  roundLength: number
  /** Blocks of a round in which something happens. */
  busyBlocks: number
  /** Transactions of holders in a round, beside first bonds and rewards. */
  stakeTransactions: number
  proposals: number
  votesPerProposal: number
  polls: number
  votesPerPoll: number
  /** At how many rounds, and of how many accounts at each, the right answers are written down. */
  sampledRounds: number
  sampledAccounts: number
}

/** Livepeer's on Arbitrum One: about half a million events. */
export const REAL_SIZE: ChainSize = {
  seed: 1,
  accounts: 5000,
  transcoders: 100,
  rounds: 1700,
  roundLength: 50,
  busyBlocks: 8,
  stakeTransactions: 11,
  proposals: 40,
  votesPerProposal: 100,
  polls: 20,
  votesPerPoll: 100,
  sampledRounds: 40,
  sampledAccounts: 50,
}

/** One account at the start of a round, as VotingPower of the API has it. */
export interface SampledPower {
  account: string
  votes: string
  stake: string
  delegate: string | null
  bondedAmount: string
  delegatedStake: string
  isTranscoder: boolean
  isActive: boolean
}

/** The right answers for one round, once the block that began it is indexed. */
export interface SampledRound {
  round: number
  block: number
  totalActiveStake: string
  totalStake: string
  powers: SampledPower[]
}

/** The right answers for a proposal or poll, by its id in the API, once a block is indexed. */
export interface SampledProposal {
  id: string
  /** From this block on they change no more; the last block where they still could. */
  block: number
  state: string
  for: string
  against: string
  abstain: string
  electorate: string
  quorum: string
  voters: number
}

/** What a made-up chain is and what is true of it, by the model that made it up. */
export interface MadeUpTruth {
  firstRound: number
  lastRound: number
  /** Round n begins with block n · roundLength. */
  roundLength: number
  lastBlock: number
  /** All that ever hold stake, the transcoders first. */
  accounts: string[]
  transcoders: string[]
  /** How many of each event there are, by contract and name. */
  events: Record<string, number>
  rounds: SampledRound[]
  proposals: SampledProposal[]
  treasury: { address: string; balance: string; totalIn: string; totalOut: string }
}

/** Makes up a chain and writes it as a trace, gzipped; gives what is true of it. */
export async function writeMadeUpChain(file: string, size: ChainSize): Promise<MadeUpTruth> {
  const chain = new MadeUpChain(size)
  // Compressing harder takes longer than making it all up.
  await pipeline(Readable.from(chain.lines()), createGzip({ level: 1 }), createWriteStream(file))
  return chain.truth()
}

const FIRST_ROUND = 3
const UNBONDING_PERIOD = 7
const LPT = 10n ** 18n
/** What can be minted in a round, of the active stake. */
const INFLATION = 3n
const INFLATION_DIVISOR = 10_000n
const PRECISE = 10n ** 27n
/** One in so many rounds is begun by nobody. */
const SKIPPED_ROUNDS = 60
/** Half of all holders are there after this part of all rounds. */
const RUSH = 1 / 40

const CONTRACTS = [
  'Controller',
  'RoundsManager',
  'BondingManager',
  'BondingVotes',
  'Minter',
  'LivepeerToken',
  'PollCreator',
  'LivepeerGovernor',
  'Treasury',
]

/** What is to become of a proposal, in turn; what does become of it its votes decide. */
const FATES = ['paid', 'quorum changed', 'voted down', 'paid', 'too few', 'succeeded', 'canceled', 'queued'] as const
type Fate = (typeof FATES)[number]

/** Does something, and gives the address of who did it; undefined where there was nobody to do it. */
type Transaction = () => string | undefined

interface PlannedProposal {
  round: number
  fate: Fate
  proposal?: Proposal
  ballots: { round: number; voter: string; support: Support }[]
}

interface PlannedPoll {
  round: number
  poll?: Poll
}

/** The story of a chain, told once from its first line to its last. */
class MadeUpChain {
  readonly #size: ChainSize
  readonly #random: () => number
  readonly #addresses: Record<string, string>
  readonly #log: BlockLog
  readonly #stake: StakeModel
  readonly #governance: GovernanceModel
  readonly #holders: StakeAccount[]
  readonly #transcoders: StakeAccount[]
  /** How likely each transcoder rewards in a round: seven of ten on average. */
  readonly #diligence = new Map<StakeAccount, number>()
  readonly #joinRounds: number[]
  readonly #plannedProposals: PlannedProposal[]
  readonly #plannedPolls: PlannedPoll[]
  readonly #sampledRounds: SampledRound[] = []
  readonly #samplesAt: Set<number>
  readonly #treasury = { totalIn: 0n, totalOut: 0n }
  readonly #lastRound: number
  readonly #lastBlock: number
  #round = 0

  constructor(size: ChainSize) {
    this.#size = size
    this.#random = mulberry32(size.seed)
    this.#lastRound = FIRST_ROUND + size.rounds - 1
    this.#lastBlock = (this.#lastRound + 1) * size.roundLength - 1
    this.#addresses = Object.fromEntries(CONTRACTS.map((name) => [name, this.#address(name)]))
    this.#log = new BlockLog(this.#addresses, (text) => this.#hash(text))
    const emit = (contract: string, event: string, parameters: readonly Parameter[]) => {
      if (event === 'Transfer') this.#noteTransfer(parameters)
      this.#log.emit(contract, event, parameters)
    }
    this.#stake = new StakeModel(emit, {
      numActiveTranscoders: this.#poolSize(),
      unbondingPeriod: UNBONDING_PERIOD,
      treasuryCut: PRECISE / 10n,
      minter: this.#addressOf('Minter'),
      treasury: this.#addressOf('Treasury'),
    })
    this.#governance = new GovernanceModel(emit, this.#stake, {
      votingDelay: 1,
      votingPeriod: this.#votingPeriod(),
      quorumNumerator: 333_300n,
      pollPeriod: this.#votingPeriod() * size.roundLength,
      roundLength: size.roundLength,
      governor: this.#addressOf('LivepeerGovernor'),
      treasury: this.#addressOf('Treasury'),
      token: this.#addressOf('LivepeerToken'),
    })
    this.#holders = range(size.accounts).map((index) => this.#stake.account(this.#address(`holder ${index}`)))
    this.#transcoders = this.#holders.slice(0, size.transcoders)
    for (const [index, transcoder] of this.#transcoders.entries()) {
      this.#diligence.set(transcoder, [0.95, 0.95, 0.5, 0.95, 0.05, 0.95, 0.95, 0.5, 0.95, 0.25][index % 10] ?? 0)
    }
    this.#joinRounds = this.#holders.map((_, index) => this.#joinRound(index))
    this.#plannedProposals = this.#planProposals()
    this.#plannedPolls = this.#planPolls()
    const sampleStep = (size.rounds - 1) / size.sampledRounds
    this.#samplesAt = new Set(
      range(size.sampledRounds).map((index) => FIRST_ROUND + 1 + Math.floor(index * sampleStep)),
    )
  }

  /** The trace: a header, then a line for each block with logs. */
  *lines(): Generator<string> {
    yield `${JSON.stringify(this.#header())}\n`
    yield* this.#block(this.#firstBlock(), [() => this.#setUp()])
    for (this.#round = FIRST_ROUND; this.#round <= this.#lastRound; this.#round++) yield* this.#tellRound()
    this.#governance.closePolls(this.#lastBlock)
    this.#sample(this.#lastRound + 1, this.#lastBlock)
  }

  /** What is true at the end of the lines. */
  truth(): MadeUpTruth {
    const { totalIn, totalOut } = this.#treasury
    return {
      firstRound: FIRST_ROUND,
      lastRound: this.#lastRound,
      roundLength: this.#size.roundLength,
      lastBlock: this.#lastBlock,
      accounts: this.#holders.map(({ address }) => address),
      transcoders: this.#transcoders.map(({ address }) => address),
      events: this.#log.counts,
      rounds: this.#sampledRounds,
      proposals: [
        ...this.#governance.proposals.map((proposal) => this.#truthOfProposal(proposal)),
        ...this.#governance.polls.map((poll) => this.#truthOfPoll(poll)),
      ],
      treasury: {
        address: this.#addressOf('Treasury'),
        balance: String(totalIn - totalOut),
        totalIn: String(totalIn),
        totalOut: String(totalOut),
      },
    }
  }

  #header(): object {
    const { roundLength } = this.#size
    return {
      type: 'header',
      format: 1,
      network: 'made-up',
      chainId: 31337,
      contracts: this.#addresses,
      parameters: { roundLength, firstBlock: this.#firstBlock(), numActiveTranscoders: this.#poolSize() },
      madeUp: this.#size,
      lastBlock: this.#lastBlock,
      lastTimestamp: timestampOf(this.#lastBlock),
    }
  }

  #firstBlock(): number {
    return FIRST_ROUND * this.#size.roundLength - 1
  }

  #poolSize(): number {
    return Math.ceil(this.#size.transcoders * 0.9)
  }

  #votingPeriod(): number {
    return Math.max(2, Math.min(10, Math.floor(this.#size.rounds / 5)))
  }

  #setUp(): string {
    const id = keccak256(toHex('BondingManagerTarget'))
    this.#log.emit('Controller', 'SetContractInfo', [id, this.#address('target'), ZERO_ADDRESS])
    this.#governance.setUp(FIRST_ROUND - 1)
    return this.#address('deployer')
  }

  // ── rounds ──

  *#tellRound(): Generator<string> {
    const { roundLength, busyBlocks } = this.#size
    const start = this.#round * roundLength
    this.#takeSnapshots()
    const isSkipped = this.#isSkipped()
    const initialization = start + this.#below(3)
    const blocks = new Map<number, Transaction[]>()
    if (!isSkipped) blocks.set(initialization, [this.#initialization(initialization)])
    const later = range(start + roundLength - initialization).map((index) => initialization + index)
    const busy = this.#shuffled(later).slice(0, busyBlocks)
    const transactions = isSkipped ? this.#ballots() : [...this.#stakeTransactions(), ...this.#ballots()]
    for (const transaction of this.#shuffled(transactions)) {
      const block = this.#oneOf(busy)
      blocks.set(block, [...(blocks.get(block) ?? []), transaction])
    }
    for (const [number, inBlock] of [...blocks].sort(([a], [b]) => a - b)) yield* this.#block(number, inBlock)
  }

  *#block(number: number, transactions: readonly Transaction[]): Generator<string> {
    this.#governance.closePolls(number)
    this.#log.begin(number)
    for (const transaction of transactions) this.#log.transaction(transaction)
    const line = this.#log.end()
    if (line !== undefined) yield line
  }

  /** Whether nobody begins the round; the first and the last are always begun. */
  #isSkipped(): boolean {
    const isInside = this.#round > FIRST_ROUND + 1 && this.#round < this.#lastRound
    return isInside && !this.#samplesAt.has(this.#round) && this.#below(SKIPPED_ROUNDS) === 0
  }

  #initialization(block: number): Transaction {
    return () => {
      this.#stake.beginRound(this.#round, this.#hash(`L1 block ${block}`))
      if (this.#samplesAt.has(this.#round)) this.#sample(this.#round, block)
      return this.#oneOf(this.#transcoders).address
    }
  }

  /** Writes down what is true at the start of a round: before anything else happened in it. */
  #sample(round: number, block: number): void {
    const stake = this.#stake
    const chosen = this.#shuffled(this.#holders).slice(0, this.#size.sampledAccounts)
    const withDelegates = new Set(chosen.flatMap((account) => [account, account.delegate ?? account]))
    for (const transcoder of this.#transcoders.slice(0, 20)) withDelegates.add(transcoder)
    this.#sampledRounds.push({
      round,
      block,
      totalActiveStake: String(round === stake.round ? stake.currentTotal : stake.nextTotal),
      totalStake: String(stake.totalStake),
      powers: [...withDelegates].map((account) => ({
        account: account.address,
        votes: String(stake.votes(account)),
        stake: String(stake.pendingStake(account, round)),
        delegate: account.delegate?.address ?? null,
        bondedAmount: String(account.bonded),
        delegatedStake: String(account.delegated),
        isTranscoder: isRegistered(account),
        isActive: account.activationRound <= round && round < account.deactivationRound,
      })),
    })
  }

  // ── stake ──

  #stakeTransactions(): Transaction[] {
    const stake = this.#stake
    const mintable = (stake.currentTotal * INFLATION) / INFLATION_DIVISOR
    const rewarding = this.#transcoders.filter(
      (transcoder) => stake.isActive(transcoder) && this.#random() < (this.#diligence.get(transcoder) ?? 0),
    )
    const rewards = rewarding.map((transcoder) => () => {
      // It may have left and come back in the meantime, and then waits for the next round.
      if (stake.isActive(transcoder)) stake.reward(transcoder, mintable)
      return transcoder.address
    })
    const others = range(this.#size.stakeTransactions).map(() => () => this.#transact()?.address)
    return [...this.#firstBonds(), ...rewards, ...others]
  }

  /** The first transcoders come at once, the last ones, who have to evict others, and all delegators over time. */
  #joinRound(index: number): number {
    const { accounts, transcoders, rounds } = this.#size
    const poolSize = this.#poolSize()
    if (index < poolSize) return FIRST_ROUND
    const spread = (share: number) => FIRST_ROUND + 1 + Math.floor(share * (rounds - 1))
    if (index < transcoders) return spread((index + 1 - poolSize) / (transcoders + 1 - poolSize))
    const place = (index - transcoders) / (accounts - transcoders)
    return spread(place < 0.5 ? place * 2 * RUSH : RUSH + (place - 0.5) * 2 * (1 - RUSH))
  }

  #firstBonds(): Transaction[] {
    const joining = this.#holders.filter((_, index) => this.#joinRounds[index] === this.#round)
    return joining.map((holder) => () => {
      if (this.#isTranscoder(holder)) this.#becomeTranscoder(holder)
      else this.#stake.bond(holder, this.#someDelegate(), this.#amount())
      return holder.address
    })
  }

  /** Bonds to itself with enough to find room in the pool, mostly, and sets its commission. */
  #becomeTranscoder(holder: StakeAccount): void {
    const missing = this.#stake.entryStake() - holder.delegated
    this.#stake.bond(holder, holder, (missing > 0n && this.#below(5) > 0 ? missing : 0n) + 100n * this.#amount())
    this.#updateCommission(holder)
  }

  #updateCommission(transcoder: StakeAccount): void {
    const mayUpdate = !this.#stake.isActive(transcoder) || transcoder.lastReward === this.#round
    if (!isRegistered(transcoder) || !mayUpdate) return
    this.#stake.updateTranscoder(transcoder, BigInt(this.#below(400_001)), BigInt(this.#below(1_000_001)))
  }

  /** Somebody does something with its stake, or nothing where nobody is found who can. */
  #transact(): StakeAccount | undefined {
    const kinds = [
      ...times(6, this.#claim),
      ...times(5, this.#bondMore),
      ...times(4, this.#moveDelegate),
      ...times(4, this.#unbondPart),
      ...times(3, this.#unbondAll),
      ...times(4, this.#rebond),
      ...times(4, this.#withdraw),
      ...times(1, this.#transferBond),
      ...times(1, this.#changePool),
    ]
    return this.#oneOf(kinds).call(this)
  }

  #claim(): StakeAccount | undefined {
    const holder = this.#someone(({ bonded, lastClaim }) => bonded > 0n && lastClaim < this.#round)
    if (holder === undefined) return undefined
    this.#stake.claimEarnings(holder)
    return holder
  }

  #bondMore(): StakeAccount | undefined {
    const holder = this.#someone(hasJoined)
    if (holder === undefined) return undefined
    this.#stake.bond(holder, holder.delegate ?? this.#someDelegate(), this.#amount())
    return holder
  }

  #moveDelegate(): StakeAccount | undefined {
    const delegate = this.#someDelegate()
    const holder = this.#someone((one) => one.bonded > 0n && !isRegistered(one) && one.delegate !== delegate)
    if (holder === undefined) return undefined
    // Most move what they have and add nothing.
    this.#stake.bond(holder, delegate, this.#below(4) === 0 ? this.#amount() : 0n)
    return holder
  }

  #unbondPart(): StakeAccount | undefined {
    const holder = this.#someone((one) => this.#stake.isBonded(one) && one.bonded > 100n)
    if (holder === undefined) return undefined
    this.#stake.unbond(holder, (this.#stake.claimedStake(holder) * BigInt(1 + this.#below(60))) / 100n)
    return holder
  }

  #unbondAll(): StakeAccount | undefined {
    const holder = this.#someone((one) => this.#stake.isBonded(one) && !this.#isTranscoder(one))
    if (holder === undefined) return undefined
    this.#stake.unbond(holder, this.#stake.claimedStake(holder))
    return holder
  }

  #rebond(): StakeAccount | undefined {
    const holder = this.#someone(({ locks }) => locks.size > 0)
    if (holder === undefined) return undefined
    const [id = 0] = holder.locks.keys()
    this.#stake.rebond(holder, id, this.#someDelegate())
    return holder
  }

  #withdraw(): StakeAccount | undefined {
    const isDue = ([, { withdrawRound }]: readonly [number, Readonly<Lock>]) => withdrawRound <= this.#round
    const holder = this.#someone(({ locks }) => [...locks].some(isDue))
    if (holder === undefined) return undefined
    const [id] = [...holder.locks].find(isDue) ?? [0]
    this.#stake.withdrawStake(holder, id)
    return holder
  }

  #transferBond(): StakeAccount | undefined {
    const receiver = this.#someone(hasJoined)
    if (receiver === undefined) return undefined
    const holder = this.#someone((one) => this.#stake.isBonded(one) && one.bonded > 100n && one !== receiver)
    if (holder === undefined) return undefined
    // All that a transcoder has would make it resign, which happens often enough.
    const parts = BigInt((isRegistered(holder) ? 2 : 1) + this.#below(4))
    this.#stake.transferBond(holder, receiver, this.#stake.claimedStake(holder) / parts)
    return holder
  }

  /** A transcoder resigns, comes back, pushes into a full pool or sets its commission. */
  #changePool(): StakeAccount | undefined {
    const stake = this.#stake
    const transcoder = this.#oneOf(this.#transcoders)
    if (!hasJoined(transcoder)) return undefined
    const [id] = transcoder.locks.keys()
    if (!isRegistered(transcoder)) {
      if (transcoder.bonded === 0n && id !== undefined) stake.rebond(transcoder, id, transcoder)
      else this.#becomeTranscoder(transcoder)
    } else if (!stake.isInPool(transcoder)) {
      if (transcoder.delegated > stake.entryStake()) this.#updateCommission(transcoder)
      else this.#becomeTranscoder(transcoder)
    } else if (this.#below(8) > 0) this.#updateCommission(transcoder)
    else if (stake.isBonded(transcoder)) stake.unbond(transcoder, stake.claimedStake(transcoder))
    return transcoder
  }

  #isTranscoder(holder: StakeAccount): boolean {
    return this.#diligence.has(holder)
  }

  /** Mostly a registered transcoder, the first ones more often; now and then somebody who is none. */
  #someDelegate(): StakeAccount {
    if (this.#below(50) === 0) return this.#oneOf(this.#holders)
    const registered = this.#transcoders.filter(isRegistered)
    return registered[Math.floor(this.#random() ** 2 * registered.length)] ?? this.#oneOf(this.#transcoders)
  }

  /** A holder that fits, undefined where there is none. */
  #someone(fits: (holder: StakeAccount) => boolean): StakeAccount | undefined {
    const start = this.#below(this.#holders.length)
    return this.#holders.slice(start).find(fits) ?? this.#holders.slice(0, start).find(fits)
  }

  /** Between 1 and 9,000 LPT, small ones as often as large ones, to the wei. */
  #amount(): bigint {
    const lpt = BigInt((1 + this.#below(9)) * 10 ** this.#below(4))
    return lpt * LPT + BigInt(this.#below(2 ** 30)) * BigInt(this.#below(2 ** 29))
  }

  // ── proposals and polls ──

  /** Spread over all rounds; the last two are still open at the end. */
  #planProposals(): PlannedProposal[] {
    const { proposals, rounds } = this.#size
    const half = Math.ceil(this.#votingPeriod() / 2)
    return range(proposals).map((index) => {
      const fromEnd = proposals - 1 - index
      const spread = Math.floor(((index + 1) * (rounds - 1)) / (proposals + 1))
      const round = fromEnd < 2 ? rounds - 1 - fromEnd * half : spread
      return { round: FIRST_ROUND + round, fate: FATES[index % FATES.length] ?? 'paid', ballots: [] }
    })
  }

  /** Spread over all rounds; the last is still open at the end. */
  #planPolls(): PlannedPoll[] {
    const { polls, rounds } = this.#size
    const half = Math.ceil(this.#votingPeriod() / 2)
    return range(polls).map((index) => {
      const round = index === polls - 1 ? rounds - 1 - half : Math.floor(((index + 0.5) * rounds) / polls)
      return { round: FIRST_ROUND + round }
    })
  }

  /** What is voted on in this round, by whom and how, and what becomes of what was voted on before. */
  #ballots(): Transaction[] {
    const found: Transaction[] = []
    for (const [index, planned] of this.#plannedProposals.entries()) {
      if (planned.round === this.#round) found.push(() => this.#propose(planned, index))
      else if (planned.proposal !== undefined) found.push(...this.#stepsOf(planned, planned.proposal))
    }
    for (const [index, planned] of this.#plannedPolls.entries()) found.push(...this.#stepsOfPoll(planned, index))
    return found
  }

  #propose(planned: PlannedProposal, index: number): string {
    const proposer = this.#oneOf(this.#transcoders).address
    const treasury = this.#treasury.totalIn - this.#treasury.totalOut
    const pay = (): Action => ({ pay: treasury / BigInt(20 + this.#below(80)), to: this.#oneOf(this.#holders).address })
    const quorumNumerator = BigInt(250_000 + this.#below(83_301))
    const actions: Action[] = planned.fate === 'quorum changed' ? [{ quorumNumerator }] : [pay(), pay()]
    const description = `# Proposal ${index}\n\nMade up: to be ${planned.fate}.`
    planned.proposal = this.#governance.propose(proposer, actions, description, this.#log.number)
    return proposer
  }

  #stepsOf({ fate, ballots }: PlannedProposal, proposal: Proposal): Transaction[] {
    const governance = this.#governance
    const { proposer, snapshotRound, lastRound } = proposal
    const round = this.#round
    const due = ballots.filter((ballot) => ballot.round === round)
    const steps: Transaction[] = due.map(({ voter, support }, index) => () => {
      const reason = index % 5 === 0 ? `Reason ${index}` : ''
      governance.vote(proposal, voter, support, reason, index % 7 === 3 ? '0x01' : '0x')
      return voter
    })
    const step = (isDue: boolean, run: () => void) => {
      const transaction = () => {
        run()
        return proposer
      }
      if (isDue) steps.push(transaction)
    }
    const state = governance.state(proposal, round)
    const isToExecute = fate === 'paid' || fate === 'quorum changed'
    step(fate === 'canceled' && round === snapshotRound, () => governance.cancel(proposal, this.#log.number))
    step((isToExecute || fate === 'queued') && round === lastRound + 1 && state === 'SUCCEEDED', () =>
      governance.queue(proposal, this.#log.number, timestampOf(this.#log.number)),
    )
    step(isToExecute && state === 'QUEUED', () => governance.execute(proposal, this.#log.number))
    return steps
  }

  /** Right before a round begins: who votes on the proposals whose snapshot this is, when and how. */
  #takeSnapshots(): void {
    for (const planned of this.#plannedProposals) {
      const { proposal, fate } = planned
      if (proposal === undefined || proposal.snapshotRound + 1 !== this.#round) continue
      const voters = proposal.canceled ? [] : this.#voters(this.#size.votesPerProposal, fate !== 'too few')
      this.#governance.takeSnapshot(proposal, voters)
      planned.ballots = voters.map(({ address }) => ({
        round: this.#round + this.#below(this.#votingPeriod()),
        voter: address,
        support: this.#support(fate === 'voted down' ? 0 : 1),
      }))
    }
  }

  #support(likely: Support): Support {
    return ([likely, likely, likely, likely, likely, likely, likely, 0, 1, 2] as const)[this.#below(10)] ?? likely
  }

  /** Where it is to matter, half of them the largest transcoders, and most others their delegators, who override them. */
  #voters(count: number, shouldMatter: boolean): StakeAccount[] {
    const largest = this.#transcoders.toSorted((a, b) => (a.delegated > b.delegated ? -1 : 1)).slice(0, count / 2)
    const isLarge = new Set(largest)
    const found = new Set(shouldMatter ? largest : [])
    const others = this.#shuffled(this.#holders.filter((holder) => !this.#transcoders.includes(holder)))
    const delegators = others.filter(({ delegate }) => delegate !== null && isLarge.has(delegate))
    for (const holder of [...delegators.slice(0, Math.ceil(count / 3)), ...others]) {
      if (found.size < count) found.add(holder)
    }
    return [...found]
  }

  #stepsOfPoll(planned: PlannedPoll, index: number): Transaction[] {
    const { poll, round } = planned
    if (round === this.#round) return [() => this.#createPoll(planned, index)]
    const lastWholeRound = round + this.#votingPeriod() - 1
    if (poll === undefined || this.#round > lastWholeRound) return []
    const count = Math.ceil(this.#size.votesPerPoll / (lastWholeRound - round))
    const likely = index % 2
    return this.#voters(count, index % 3 !== 2).map(({ address }) => () => {
      const choice = this.#oneOf([likely, likely, likely, 1 - likely, 1 - likely, 2])
      this.#governance.votePoll(poll, address, choice)
      return address
    })
  }

  #createPoll(planned: PlannedPoll, index: number): string {
    const address = this.#address(`poll ${index}`)
    planned.poll = this.#governance.createPoll(address, this.#hash(`text ${index}`), this.#log.number)
    return this.#oneOf(this.#transcoders).address
  }

  #truthOfProposal(proposal: Proposal): SampledProposal {
    const clock = this.#lastRound
    const { id, electorate, sums, choices, changedAt, lastRound, snapshotRound, canceled } = proposal
    const lastOfInterest = canceled ? snapshotRound : lastRound
    const end = Math.max(changedAt, (lastOfInterest + 1) * this.#size.roundLength)
    return {
      id: `treasury:${id}`,
      block: Math.min(end, this.#lastBlock),
      state: this.#governance.state(proposal, clock),
      for: String(sums[1]),
      against: String(sums[0]),
      abstain: String(sums[2]),
      electorate: String(electorate ?? this.#stake.nextTotal),
      quorum: String(this.#governance.quorum(proposal)),
      voters: choices.size,
    }
  }

  #truthOfPoll(poll: Poll): SampledProposal {
    const { yes, no, totalStake } = poll.count ?? this.#governance.countPoll(poll, this.#lastRound)
    const outcome = isPollPassed({ yes, no, totalStake }) ? 'SUCCEEDED' : 'DEFEATED'
    return {
      id: `poll:${poll.address}`,
      block: Math.min(poll.endBlock + 1, this.#lastBlock),
      state: poll.count === undefined ? 'ACTIVE' : outcome,
      for: String(yes),
      against: String(no),
      abstain: '0',
      electorate: String(totalStake),
      quorum: String((totalStake * 333_300n + 999_999n) / 1_000_000n),
      voters: poll.choices.size,
    }
  }

  #noteTransfer([from, , value]: readonly Parameter[]): void {
    if (typeof value !== 'bigint') return
    if (from === this.#addressOf('Treasury')) this.#treasury.totalOut += value
    else this.#treasury.totalIn += value
  }

  // ── chance ──

  /** A whole number from 0 to below the limit. */
  #below(limit: number): number {
    return Math.floor(this.#random() * limit)
  }

  #oneOf<Item>(items: readonly Item[]): Item {
    const item = items[this.#below(items.length)]
    if (item === undefined) throw new Error('there is nothing to choose from')
    return item
  }

  #shuffled<Item>(items: readonly Item[]): Item[] {
    const shuffled = [...items]
    for (let last = shuffled.length - 1; last > 0; last--) {
      const other = this.#below(last + 1)
      const [a, b] = [shuffled[last], shuffled[other]] as [Item, Item]
      shuffled[last] = b
      shuffled[other] = a
    }
    return shuffled
  }

  #hash(text: string): string {
    return `0x${createHash('sha256').update(`${this.#size.seed}:${text}`).digest('hex')}`
  }

  #address(name: string): string {
    return this.#hash(name).slice(0, 42)
  }

  #addressOf(contract: string): string {
    return this.#addresses[contract] ?? ZERO_ADDRESS
  }
}

function hasJoined({ lastClaim }: StakeAccount): boolean {
  return lastClaim > 0
}

function range(length: number): number[] {
  return Array.from({ length }, (_, index) => index)
}

function times<Item>(count: number, item: Item): Item[] {
  return Array.from({ length: count }, () => item)
}
