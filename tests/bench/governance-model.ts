import { encodeAbiParameters, encodeFunctionData, type Hex, keccak256, parseAbi, toHex, zeroHash } from 'viem'
import { type Emit, isRegistered, type StakeAccount, type StakeModel } from './stake-model.ts'

// Treasury proposals and polls as LivepeerGovernor (GovernorCountingOverridable), its timelock and LIP-16 have them, for
// chains that are made up; written from those alone, like the model of stake.

/** Against, for, abstain: the governor's numbers. */
export type Support = 0 | 1 | 2

/** The states of the governor's state() that a proposal here can have. */
type ProposalState = 'PENDING' | 'ACTIVE' | 'CANCELED' | 'DEFEATED' | 'SUCCEEDED' | 'QUEUED' | 'EXECUTED'

/** A call that a proposal makes: LPT paid by the treasury, or another quorum numerator of 10^6. */
export type Action = { pay: bigint; to: string } | { quorumNumerator: bigint }

/** Who may vote on a proposal with how much, fixed by its snapshot. */
interface Voter {
  weight: bigint
  /** The transcoder its weight is part of; null for transcoders, and where the delegate is none. */
  overrides: string | null
  isTranscoder: boolean
}

/** A treasury proposal and the votes on it. */
export interface Proposal {
  id: bigint
  proposer: string
  snapshotRound: number
  lastRound: number
  description: string
  actions: readonly Action[]
  targets: readonly Hex[]
  calldatas: readonly Hex[]
  /** Block of the last event that changed it, other than votes. */
  changedAt: number
  queued: boolean
  executed: boolean
  canceled: boolean
  /** Stake of the active set after the snapshot, wei; undefined before it is taken. */
  electorate: bigint | undefined
  readonly voters: Map<string, Voter>
  readonly choices: Map<string, Support>
  /** Weight taken off transcoders by delegators that voted themselves. */
  readonly deductions: Map<string, bigint>
  /** Counted weight by support, wei. */
  readonly sums: Record<Support, bigint>
}

/** A poll and what was sent to it. */
export interface Poll {
  address: string
  endBlock: number
  /** Last valid choices: 0 yes, 1 no. */
  readonly choices: Map<string, 0 | 1>
  /** As of its end; undefined while it is open. */
  count: PollCount | undefined
}

/** What a poll comes to, wei. */
export interface PollCount {
  yes: bigint
  no: bigint
  totalStake: bigint
}

/** What the model is set up with; periods in rounds, but for the poll's, in blocks. */
export interface GovernanceRules {
  votingDelay: number
  votingPeriod: number
  quorumNumerator: bigint
  pollPeriod: number
  /** Blocks. */
  roundLength: number
  governor: string
  treasury: string
  token: string
}

/** 100 % of quorum and quota. */
const MILLION = 1_000_000n
const QUOTA = 500_000n
const POLL_QUORUM = 333_300n
const CALLS = parseAbi([
  'function transfer(address to, uint256 amount)',
  'function updateQuorumNumerator(uint256 newQuorumNumerator)',
])

/** All proposals and polls. Each transaction emits its events as the contracts do. */
export class GovernanceModel {
  readonly proposals: Proposal[] = []
  readonly polls: Poll[] = []
  /** Quorum numerators by the round they were set in, ascending. */
  readonly #numerators: { round: number; numerator: bigint }[] = []

  constructor(
    private readonly emit: Emit,
    private readonly stake: StakeModel,
    private readonly rules: GovernanceRules,
  ) {}

  /** The settings that the governor and the timelock begin with. */
  setUp(round: number): void {
    const { votingDelay, votingPeriod, quorumNumerator } = this.rules
    this.emit('Treasury', 'MinDelayChange', [0n, 0n])
    this.emit('LivepeerGovernor', 'VotingDelaySet', [0n, BigInt(votingDelay)])
    this.emit('LivepeerGovernor', 'VotingPeriodSet', [0n, BigInt(votingPeriod)])
    this.emit('LivepeerGovernor', 'ProposalThresholdSet', [0n, 100n * 10n ** 18n])
    this.#setQuorumNumerator(quorumNumerator, round)
  }

  /** LivepeerGovernor.propose. */
  propose(proposer: string, actions: readonly Action[], description: string, block: number): Proposal {
    const { governor, token, votingDelay, votingPeriod } = this.rules
    const targets = actions.map((action) => ('pay' in action ? token : governor) as Hex)
    const calldatas = actions.map(calldataOf)
    const snapshotRound = this.#roundOf(block) + votingDelay
    const lastRound = snapshotRound + votingPeriod
    const id = BigInt(hashOfCalls(targets, calldatas, [keccak256(toHex(description))]))
    const proposal: Proposal = {
      id,
      proposer,
      snapshotRound,
      lastRound,
      description,
      actions,
      targets,
      calldatas,
      changedAt: block,
      queued: false,
      executed: false,
      canceled: false,
      electorate: undefined,
      voters: new Map(),
      choices: new Map(),
      deductions: new Map(),
      sums: [0n, 0n, 0n],
    }
    this.proposals.push(proposal)
    const values = targets.map(() => 0n)
    const signatures = targets.map(() => '')
    const rounds = [BigInt(snapshotRound), BigInt(lastRound)]
    const parameters = [id, proposer, targets, values, signatures, calldatas, ...rounds, description]
    this.emit('LivepeerGovernor', 'ProposalCreated', parameters)
    return proposal
  }

  /** Writes down who may vote with how much; right before the round after the snapshot begins. */
  takeSnapshot(proposal: Proposal, voters: readonly StakeAccount[]): void {
    proposal.electorate = this.stake.nextTotal
    for (const voter of voters) {
      const { delegate } = voter
      const isOther = delegate !== null && delegate !== voter && delegate.delegate === delegate
      proposal.voters.set(voter.address, {
        weight: this.stake.votes(voter),
        overrides: isOther ? delegate.address : null,
        isTranscoder: delegate === voter,
      })
    }
  }

  /** LivepeerGovernor.castVote, or castVoteWithReasonAndParams where there are params. */
  vote(proposal: Proposal, voter: string, support: Support, reason: string, params: string): void {
    const { voters, choices, sums, deductions } = proposal
    const { weight, overrides, isTranscoder } = found(voters.get(voter))
    choices.set(voter, support)
    if (isTranscoder) sums[support] += weight - (deductions.get(voter) ?? 0n)
    else sums[support] += weight
    if (overrides !== null) {
      deductions.set(overrides, (deductions.get(overrides) ?? 0n) + weight)
      const itsChoice = choices.get(overrides)
      if (itsChoice !== undefined) sums[itsChoice] -= weight
    }
    const parameters = [voter, proposal.id, BigInt(support), weight, reason]
    if (params === '0x') this.emit('LivepeerGovernor', 'VoteCast', parameters)
    else this.emit('LivepeerGovernor', 'VoteCastWithParams', [...parameters, params])
  }

  /** LivepeerGovernor.cancel. */
  cancel(proposal: Proposal, block: number): void {
    proposal.canceled = true
    proposal.changedAt = block
    this.emit('LivepeerGovernor', 'ProposalCanceled', [proposal.id])
  }

  /** LivepeerGovernor.queue. */
  queue(proposal: Proposal, block: number, timestamp: number): void {
    const { targets, calldatas } = proposal
    proposal.queued = true
    proposal.changedAt = block
    for (const [index, target] of targets.entries()) {
      const call = [operationOf(proposal), BigInt(index), target, 0n, calldatas[index] ?? '0x', zeroHash, 0n]
      this.emit('Treasury', 'CallScheduled', call)
    }
    this.emit('LivepeerGovernor', 'ProposalQueued', [proposal.id, BigInt(timestamp)])
  }

  /** LivepeerGovernor.execute: each call's own events, then that it was made. */
  execute(proposal: Proposal, block: number): void {
    const { actions, targets, calldatas } = proposal
    proposal.executed = true
    proposal.changedAt = block
    this.emit('LivepeerGovernor', 'ProposalExecuted', [proposal.id])
    for (const [index, action] of actions.entries()) {
      if ('pay' in action) this.emit('LivepeerToken', 'Transfer', [this.rules.treasury, action.to, action.pay])
      else this.#setQuorumNumerator(action.quorumNumerator, this.#roundOf(block))
      const call = [operationOf(proposal), BigInt(index), targets[index] ?? '0x', 0n, calldatas[index] ?? '0x']
      this.emit('Treasury', 'CallExecuted', call)
    }
  }

  /** LivepeerGovernor.state in a round. */
  state(proposal: Proposal, round: number): ProposalState {
    if (proposal.executed) return 'EXECUTED'
    if (proposal.canceled) return 'CANCELED'
    if (round <= proposal.snapshotRound) return 'PENDING'
    if (round <= proposal.lastRound) return 'ACTIVE'
    const [against, inFavour, abstain] = [proposal.sums[0], proposal.sums[1], proposal.sums[2]]
    const isQuorumReached = against + inFavour + abstain >= this.quorum(proposal)
    if (!isQuorumReached || inFavour < ((inFavour + against) * QUOTA) / MILLION) return 'DEFEATED'
    return proposal.queued ? 'QUEUED' : 'SUCCEEDED'
  }

  /** LivepeerGovernor.quorum of the snapshot, wei; as things stand before that is taken. */
  quorum({ electorate = this.stake.nextTotal, snapshotRound }: Proposal): bigint {
    const { numerator } = found(this.#numerators.findLast(({ round }) => round <= snapshotRound))
    return (electorate * numerator) / MILLION
  }

  /** PollCreator.createPoll. */
  createPoll(address: string, text: string, block: number): Poll {
    const endBlock = block + this.rules.pollPeriod
    const poll: Poll = { address, endBlock, choices: new Map(), count: undefined }
    this.polls.push(poll)
    this.emit('PollCreator', 'PollCreated', [address, toHex(text), BigInt(endBlock), POLL_QUORUM, QUOTA])
    return poll
  }

  /** Poll.vote: any number may be sent, only 0 and 1 count. */
  votePoll(poll: Poll, voter: string, choice: number): void {
    if (choice === 0 || choice === 1) poll.choices.set(voter, choice)
    this.emit(poll.address, 'Vote', [voter, BigInt(choice)])
  }

  /** Counts the polls that ended before this block by stake as it stands; to be told before anything happens in it. */
  closePolls(block: number): void {
    for (const poll of this.polls) {
      if (poll.endBlock < block) poll.count ??= this.countPoll(poll, this.#roundOf(poll.endBlock))
    }
  }

  /** A poll counted in a round: a transcoder has all its stake but that of its delegators that voted (LIP-16). */
  countPoll({ choices }: Poll, round: number): PollCount {
    const weights = new Map<string, bigint>()
    const add = (voter: string, weight: bigint) => weights.set(voter, (weights.get(voter) ?? 0n) + weight)
    for (const voter of choices.keys()) {
      const account = this.stake.account(voter)
      if (isRegistered(account)) {
        add(voter, account.delegated)
        continue
      }
      const own = this.stake.pendingStake(account, round)
      add(voter, own)
      if (account.delegate !== null && isRegistered(account.delegate)) add(account.delegate.address, -own)
    }
    const count: PollCount = { yes: 0n, no: 0n, totalStake: this.stake.totalStake }
    for (const [voter, choice] of choices) count[choice === 0 ? 'yes' : 'no'] += weights.get(voter) ?? 0n
    return count
  }

  #setQuorumNumerator(numerator: bigint, round: number): void {
    const before = this.#numerators.at(-1)?.numerator ?? 0n
    this.#numerators.push({ round, numerator })
    this.emit('LivepeerGovernor', 'QuorumNumeratorUpdated', [before, numerator])
  }

  #roundOf(block: number): number {
    return Math.floor(block / this.rules.roundLength)
  }
}

/** Whether a poll passed: enough of all stake was cast, and more than half of it is yes (LIP-16). */
export function isPollPassed({ yes, no, totalStake }: PollCount): boolean {
  const isQuorumReached = (yes + no) * MILLION >= totalStake * POLL_QUORUM
  return isQuorumReached && yes * MILLION > (yes + no) * QUOTA
}

function calldataOf(action: Action): Hex {
  if ('pay' in action) {
    return encodeFunctionData({ abi: CALLS, functionName: 'transfer', args: [action.to as Hex, action.pay] })
  }
  return encodeFunctionData({ abi: CALLS, functionName: 'updateQuorumNumerator', args: [action.quorumNumerator] })
}

/** TimelockController.hashOperationBatch, with the description's hash as salt. */
function operationOf({ targets, calldatas, description }: Proposal): Hex {
  return hashOfCalls(targets, calldatas, [zeroHash, keccak256(toHex(description))])
}

function hashOfCalls(targets: readonly Hex[], calldatas: readonly Hex[], words: readonly Hex[]): Hex {
  const types = ['address[]', 'uint256[]', 'bytes[]', ...words.map(() => 'bytes32')].map((type) => ({ type }))
  return keccak256(encodeAbiParameters(types, [targets, targets.map(() => 0n), calldatas, ...words]))
}

function found<Item>(item: Item | undefined): Item {
  if (item === undefined) throw new Error('nothing of the kind was made up')
  return item
}
