import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { keccak256, toHex } from 'viem'
import { BlockLog, type Transaction, timestampOf } from './block-log.ts'
import { type ChainSize, poolSizeOf, votingPeriodOf } from './chain-size.ts'
import { GovernanceModel } from './governance-model.ts'
import { Ballots } from './made-up-ballots.ts'
import { Holders } from './made-up-holders.ts'
import type { MadeUpTruth, SampledRound } from './made-up-truth.ts'
import { Chance } from './random.ts'
import { isRegistered, type Parameter, StakeModel, ZERO_ADDRESS } from './stake-model.ts'

/** Makes up a chain and writes it as a trace, gzipped; gives what is true of it. */
export async function writeMadeUpChain(file: string, size: ChainSize): Promise<MadeUpTruth> {
  const chain = new MadeUpChain(size)
  // Compressing harder takes longer than making it all up.
  await pipeline(Readable.from(chain.lines()), createGzip({ level: 1 }), createWriteStream(file))
  return chain.truth()
}

const FIRST_ROUND = 3
const UNBONDING_PERIOD = 7
const PRECISE = 10n ** 27n
/** One in so many rounds is begun by nobody. */
const SKIPPED_ROUNDS = 60

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

/** The story of a chain, told once from its first line to its last. */
class MadeUpChain {
  readonly #size: ChainSize
  readonly #chance: Chance
  readonly #addresses: Record<string, string>
  readonly #log: BlockLog
  readonly #stake: StakeModel
  readonly #governance: GovernanceModel
  readonly #holders: Holders
  readonly #ballots: Ballots
  readonly #sampledRounds: SampledRound[] = []
  readonly #samplesAt: Set<number>
  readonly #treasury = { totalIn: 0n, totalOut: 0n }
  readonly #lastRound: number
  readonly #lastBlock: number
  #round = 0

  readonly #emit = (contract: string, event: string, parameters: readonly Parameter[]): void => {
    if (event === 'Transfer') this.#noteTransfer(parameters)
    this.#log.emit(contract, event, parameters)
  }

  constructor(size: ChainSize) {
    this.#size = size
    this.#chance = new Chance(size.seed)
    this.#lastRound = FIRST_ROUND + size.rounds - 1
    this.#lastBlock = (this.#lastRound + 1) * size.roundLength - 1
    this.#addresses = Object.fromEntries(CONTRACTS.map((name) => [name, this.#address(name)]))
    this.#log = new BlockLog(this.#addresses, (text) => this.#hash(text))
    this.#stake = this.#newStakeModel()
    this.#governance = this.#newGovernanceModel()
    const addresses = Array.from({ length: size.accounts }, (_, index) => this.#address(`holder ${index}`))
    this.#holders = new Holders(size, FIRST_ROUND, this.#stake, addresses, this.#chance)
    this.#ballots = new Ballots({
      size,
      firstRound: FIRST_ROUND,
      stake: this.#stake,
      governance: this.#governance,
      holders: this.#holders,
      chance: this.#chance,
      now: () => this.#log.number,
      treasuryBalance: () => this.#treasury.totalIn - this.#treasury.totalOut,
      hash: (text) => this.#hash(text),
    })
    const sampleStep = (size.rounds - 1) / size.sampledRounds
    const sampled = Array.from(
      { length: size.sampledRounds },
      (_, index) => FIRST_ROUND + 1 + Math.floor(index * sampleStep),
    )
    this.#samplesAt = new Set(sampled)
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
      accounts: this.#holders.all.map(({ address }) => address),
      transcoders: this.#holders.transcoders.map(({ address }) => address),
      events: this.#log.counts,
      rounds: this.#sampledRounds,
      proposals: this.#ballots.truth(this.#lastBlock),
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
      parameters: { roundLength, firstBlock: this.#firstBlock(), numActiveTranscoders: poolSizeOf(this.#size) },
      madeUp: this.#size,
      lastBlock: this.#lastBlock,
      lastTimestamp: timestampOf(this.#lastBlock),
    }
  }

  #firstBlock(): number {
    return FIRST_ROUND * this.#size.roundLength - 1
  }

  #newStakeModel(): StakeModel {
    return new StakeModel(this.#emit, {
      numActiveTranscoders: poolSizeOf(this.#size),
      unbondingPeriod: UNBONDING_PERIOD,
      treasuryCut: PRECISE / 10n,
      minter: this.#addressOf('Minter'),
      treasury: this.#addressOf('Treasury'),
    })
  }

  #newGovernanceModel(): GovernanceModel {
    const { roundLength } = this.#size
    const votingPeriod = votingPeriodOf(this.#size)
    return new GovernanceModel(this.#emit, this.#stake, {
      votingDelay: 1,
      votingPeriod,
      quorumNumerator: 333_300n,
      pollPeriod: votingPeriod * roundLength,
      roundLength,
      governor: this.#addressOf('LivepeerGovernor'),
      treasury: this.#addressOf('Treasury'),
      token: this.#addressOf('LivepeerToken'),
    })
  }

  #setUp(): string {
    const id = keccak256(toHex('BondingManagerTarget'))
    this.#log.emit('Controller', 'SetContractInfo', [id, this.#address('target'), ZERO_ADDRESS])
    this.#governance.setUp(FIRST_ROUND - 1)
    return this.#address('deployer')
  }

  *#tellRound(): Generator<string> {
    const { roundLength, busyBlocks } = this.#size
    const start = this.#round * roundLength
    this.#ballots.takeSnapshots(this.#round)
    const isSkipped = this.#isSkipped()
    const initialization = start + this.#chance.below(3)
    const blocks = new Map<number, Transaction[]>()
    if (!isSkipped) blocks.set(initialization, [this.#initialization(initialization)])
    const later = Array.from({ length: start + roundLength - initialization }, (_, index) => initialization + index)
    const busy = this.#chance.shuffled(later).slice(0, busyBlocks)
    const ballots = this.#ballots.transactions(this.#round)
    const transactions = isSkipped ? ballots : [...this.#holders.transactions(this.#round), ...ballots]
    for (const transaction of this.#chance.shuffled(transactions)) {
      const block = this.#chance.oneOf(busy)
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
    return isInside && !this.#samplesAt.has(this.#round) && this.#chance.below(SKIPPED_ROUNDS) === 0
  }

  #initialization(block: number): Transaction {
    return () => {
      this.#stake.beginRound(this.#round, this.#hash(`L1 block ${block}`))
      if (this.#samplesAt.has(this.#round)) this.#sample(this.#round, block)
      return this.#chance.oneOf(this.#holders.transcoders).address
    }
  }

  /** Writes down what is true at the start of a round: before anything else happened in it. */
  #sample(round: number, block: number): void {
    const stake = this.#stake
    const chosen = this.#chance.shuffled(this.#holders.all).slice(0, this.#size.sampledAccounts)
    const withDelegates = new Set(chosen.flatMap((account) => [account, account.delegate ?? account]))
    for (const transcoder of this.#holders.transcoders.slice(0, 20)) withDelegates.add(transcoder)
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

  #noteTransfer([from, , value]: readonly Parameter[]): void {
    if (typeof value !== 'bigint') return
    if (from === this.#addressOf('Treasury')) this.#treasury.totalOut += value
    else this.#treasury.totalIn += value
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
