import { type Transaction, timestampOf } from './block-log.ts'
import { type ChainSize, votingPeriodOf } from './chain-size.ts'
import {
  type Action,
  type GovernanceModel,
  isPollPassed,
  type Poll,
  type Proposal,
  type Support,
} from './governance-model.ts'
import type { Holders } from './made-up-holders.ts'
import type { SampledProposal } from './made-up-truth.ts'
import type { Chance } from './random.ts'
import type { StakeAccount, StakeModel } from './stake-model.ts'

/** What is to become of a proposal, in turn; what does become of it its votes decide. */
const FATES = ['paid', 'quorum changed', 'voted down', 'paid', 'too few', 'succeeded', 'canceled', 'queued'] as const

interface PlannedProposal {
  round: number
  fate: (typeof FATES)[number]
  proposal?: Proposal
  ballots: { round: number; voter: string; support: Support }[]
}

interface PlannedPoll {
  round: number
  poll?: Poll
}

/** What ballots are cast on. */
export interface Polity {
  size: ChainSize
  firstRound: number
  stake: StakeModel
  governance: GovernanceModel
  holders: Holders
  chance: Chance
  /** The block under way. */
  now: () => number
  /** LPT of the treasury, wei. */
  treasuryBalance: () => bigint
  hash: (text: string) => string
}

/** The proposals and polls of a made-up chain, and who votes on them. */
export class Ballots {
  readonly #size: ChainSize
  readonly #firstRound: number
  readonly #period: number
  readonly #stake: StakeModel
  readonly #governance: GovernanceModel
  readonly #holders: Holders
  readonly #chance: Chance
  readonly #now: () => number
  readonly #treasuryBalance: () => bigint
  readonly #hash: (text: string) => string
  readonly #proposals: PlannedProposal[]
  readonly #polls: PlannedPoll[]

  constructor({ size, firstRound, stake, governance, holders, chance, now, treasuryBalance, hash }: Polity) {
    this.#size = size
    this.#firstRound = firstRound
    this.#period = votingPeriodOf(size)
    this.#stake = stake
    this.#governance = governance
    this.#holders = holders
    this.#chance = chance
    this.#now = now
    this.#treasuryBalance = treasuryBalance
    this.#hash = hash
    this.#proposals = this.#planProposals()
    this.#polls = this.#planPolls()
  }

  /** What is true of all of them at the end of the chain. */
  truth(lastBlock: number): SampledProposal[] {
    const { proposals, polls } = this.#governance
    return [
      ...proposals.map((proposal) => this.#truthOfProposal(proposal, lastBlock)),
      ...polls.map((poll) => this.#truthOfPoll(poll, lastBlock)),
    ]
  }

  /** Spread over all rounds; the last two are still open at the end. */
  #planProposals(): PlannedProposal[] {
    const { proposals, rounds } = this.#size
    const half = Math.ceil(this.#period / 2)
    return Array.from({ length: proposals }, (_, index) => {
      const fromEnd = proposals - 1 - index
      const spread = Math.floor(((index + 1) * (rounds - 1)) / (proposals + 1))
      const round = fromEnd < 2 ? rounds - 1 - fromEnd * half : spread
      return { round: this.#firstRound + round, fate: FATES[index % FATES.length] ?? 'paid', ballots: [] }
    })
  }

  /** Spread over all rounds; the last is still open at the end. */
  #planPolls(): PlannedPoll[] {
    const { polls, rounds } = this.#size
    const half = Math.ceil(this.#period / 2)
    return Array.from({ length: polls }, (_, index) => {
      const round = index === polls - 1 ? rounds - 1 - half : Math.floor(((index + 0.5) * rounds) / polls)
      return { round: this.#firstRound + round }
    })
  }

  /** What is voted on in this round, by whom and how, and what becomes of what was voted on before. */
  transactions(round: number): Transaction[] {
    const found: Transaction[] = []
    for (const [index, planned] of this.#proposals.entries()) {
      if (planned.round === round) found.push(() => this.#propose(planned, index))
      else if (planned.proposal !== undefined) found.push(...this.#stepsOf(planned, planned.proposal, round))
    }
    for (const [index, planned] of this.#polls.entries()) found.push(...this.#stepsOfPoll(planned, index, round))
    return found
  }

  #propose(planned: PlannedProposal, index: number): string {
    const proposer = this.#chance.oneOf(this.#holders.transcoders).address
    const balance = this.#treasuryBalance()
    const pay = (): Action => ({
      pay: balance / BigInt(20 + this.#chance.below(80)),
      to: this.#chance.oneOf(this.#holders.all).address,
    })
    const quorumNumerator = BigInt(250_000 + this.#chance.below(83_301))
    const actions: Action[] = planned.fate === 'quorum changed' ? [{ quorumNumerator }] : [pay(), pay()]
    const description = `# Proposal ${index}\n\nMade up: to be ${planned.fate}.`
    planned.proposal = this.#governance.propose(proposer, actions, description, this.#now())
    return proposer
  }

  #stepsOf({ fate, ballots }: PlannedProposal, proposal: Proposal, round: number): Transaction[] {
    const governance = this.#governance
    const { proposer, snapshotRound, lastRound } = proposal
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
    step(fate === 'canceled' && round === snapshotRound, () => governance.cancel(proposal, this.#now()))
    step((isToExecute || fate === 'queued') && round === lastRound + 1 && state === 'SUCCEEDED', () =>
      governance.queue(proposal, this.#now(), timestampOf(this.#now())),
    )
    step(isToExecute && state === 'QUEUED', () => governance.execute(proposal, this.#now()))
    return steps
  }

  /** Right before a round begins: who votes on the proposals whose snapshot this is, when and how. */
  takeSnapshots(round: number): void {
    for (const planned of this.#proposals) {
      const { proposal, fate } = planned
      if (proposal === undefined || proposal.snapshotRound + 1 !== round) continue
      const voters = proposal.canceled ? [] : this.#voters(this.#size.votesPerProposal, fate !== 'too few')
      this.#governance.takeSnapshot(proposal, voters)
      planned.ballots = voters.map(({ address }) => ({
        round: round + this.#chance.below(this.#period),
        voter: address,
        support: this.#support(fate === 'voted down' ? 0 : 1),
      }))
    }
  }

  #support(likely: Support): Support {
    return (
      ([likely, likely, likely, likely, likely, likely, likely, 0, 1, 2] as const)[this.#chance.below(10)] ?? likely
    )
  }

  /** Where it is to matter, half of them the largest transcoders, and most others their delegators, who override them. */
  #voters(count: number, shouldMatter: boolean): StakeAccount[] {
    const largest = this.#holders.transcoders.toSorted(byDelegated).slice(0, count / 2)
    const isLarge = new Set(largest)
    const found = new Set(shouldMatter ? largest : [])
    const others = this.#chance.shuffled(
      this.#holders.all.filter((holder) => !this.#holders.transcoders.includes(holder)),
    )
    const delegators = others.filter(({ delegate }) => delegate !== null && isLarge.has(delegate))
    for (const holder of [...delegators.slice(0, Math.ceil(count / 3)), ...others]) {
      if (found.size < count) found.add(holder)
    }
    return [...found]
  }

  #stepsOfPoll(planned: PlannedPoll, index: number, round: number): Transaction[] {
    const { poll, round: begin } = planned
    if (round === begin) return [() => this.#createPoll(planned, index)]
    const lastWholeRound = begin + this.#period - 1
    if (poll === undefined || round > lastWholeRound) return []
    const count = Math.ceil(this.#size.votesPerPoll / (lastWholeRound - begin))
    const likely = index % 2
    return this.#voters(count, index % 3 !== 2).map(({ address }) => () => {
      const choice = this.#chance.oneOf([likely, likely, likely, 1 - likely, 1 - likely, 2])
      this.#governance.votePoll(poll, address, choice)
      return address
    })
  }

  #createPoll(planned: PlannedPoll, index: number): string {
    const address = this.#hash(`poll ${index}`).slice(0, 42)
    planned.poll = this.#governance.createPoll(address, this.#hash(`text ${index}`), this.#now())
    return this.#chance.oneOf(this.#holders.transcoders).address
  }

  #truthOfProposal(proposal: Proposal, lastBlock: number): SampledProposal {
    const clock = Math.floor(lastBlock / this.#size.roundLength)
    const { id, electorate, sums, choices, changedAt, lastRound, snapshotRound, canceled } = proposal
    const lastOfInterest = canceled ? snapshotRound : lastRound
    const end = Math.max(changedAt, (lastOfInterest + 1) * this.#size.roundLength)
    return {
      id: `treasury:${id}`,
      block: Math.min(end, lastBlock),
      state: this.#governance.state(proposal, clock),
      for: String(sums[1]),
      against: String(sums[0]),
      abstain: String(sums[2]),
      electorate: String(electorate ?? this.#stake.nextTotal),
      quorum: String(this.#governance.quorum(proposal)),
      voters: choices.size,
    }
  }

  #truthOfPoll(poll: Poll, lastBlock: number): SampledProposal {
    const clock = Math.floor(lastBlock / this.#size.roundLength)
    const { yes, no, totalStake } = poll.count ?? this.#governance.countPoll(poll, clock)
    const outcome = isPollPassed({ yes, no, totalStake }) ? 'SUCCEEDED' : 'DEFEATED'
    return {
      id: `poll:${poll.address}`,
      block: Math.min(poll.endBlock + 1, lastBlock),
      state: poll.count === undefined ? 'ACTIVE' : outcome,
      for: String(yes),
      against: String(no),
      abstain: '0',
      electorate: String(totalStake),
      quorum: String((totalStake * 333_300n + 999_999n) / 1_000_000n),
      voters: poll.choices.size,
    }
  }
}

/** Most first. */
function byDelegated(a: StakeAccount, b: StakeAccount): number {
  if (a.delegated === b.delegated) return 0
  return a.delegated > b.delegated ? -1 : 1
}
