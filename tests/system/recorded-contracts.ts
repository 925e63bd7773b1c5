import { decodeFunctionData, encodeFunctionResult, type Hex, zeroAddress } from 'viem'
import {
  aragonVotingAbi,
  bondingManagerAbi,
  bondingVotesAbi,
  governorAbi,
  miniMeTokenAbi,
} from '../../api/verification/contracts.ts'
import { RecordedChain } from '../../stack/recorded-chain.ts'
import type { Trace } from '../../stack/trace.ts'
import type { AragonTruth } from './aragon-truth.ts'
import type { GovernanceTruth } from './governance-truth.ts'
import type { LivepeerTruth } from './livepeer-truth.ts'

/** A contract's view functions, answered by name. */
interface Answers {
  contract: string
  abi: readonly unknown[]
  answer: (name: string, args: readonly unknown[], block: number) => unknown
}

/** A recorded chain whose contracts answer what a truth file says they did, at the blocks it says. */
export class RecordedContracts extends RecordedChain {
  readonly #answers: readonly Answers[]

  constructor(trace: Trace, answers: readonly Answers[]) {
    super(trace)
    this.#answers = answers
  }

  override call(method: string, params: unknown[]): unknown {
    if (method === 'eth_getCode') return '0x00'
    if (method !== 'eth_call') return super.call(method, params)
    const [{ to, data }, tag] = params as [{ to: string; data: Hex }, string | undefined]
    const block = tag === undefined || tag === 'latest' ? this.trace.lastBlock : Number(tag)
    const found = this.#answers.find(({ contract }) => contract.toLowerCase() === to.toLowerCase())
    if (found === undefined) throw new Error(`nobody was asked at ${to}`)
    const abi = found.abi as typeof bondingVotesAbi
    const { functionName, args = [] } = decodeFunctionData({ abi, data })
    const result = found.answer(functionName, args, block)
    return encodeFunctionResult({ abi, functionName, result: result as never })
  }
}

/** The Livepeer contracts of a trace by its truth. */
export function livepeerContracts(trace: Trace, truth: LivepeerTruth & GovernanceTruth): RecordedContracts {
  const { BondingVotes = '', BondingManager = '', LivepeerGovernor = '' } = trace.header.contracts
  return new RecordedContracts(trace, [
    {
      contract: BondingVotes,
      abi: bondingVotesAbi,
      answer: (name, args, block) => bondingVotes(truth, name, args, block),
    },
    {
      contract: BondingManager,
      abi: bondingManagerAbi,
      answer: (name, [account], block) => bondingManager(truth, name, String(account).toLowerCase(), block),
    },
    { contract: LivepeerGovernor, abi: governorAbi, answer: (name, args) => governor(truth, name, args) },
  ])
}

/** The contracts of an Aragon DAO by their truth, as they stood at its end. */
export function aragonContracts(trace: Trace, truth: AragonTruth): RecordedContracts {
  const { Voting = '', TDT = '' } = truth.contracts
  const answer = (name: string, [id, voter]: readonly unknown[], block: number): unknown => {
    if (name === 'token') return TDT
    const state = truth.votes[String(id)]?.states.find((candidate) => candidate.block === block)
    if (state === undefined) throw new Error(`nobody asked for vote ${id} at block ${block}`)
    if (name === 'canExecute') return state.canExecute
    const choice = Object.entries(state.voters).find(([address]) => address === voter)?.[1]
    if (name === 'getVoterState') return { yea: 1, nay: 2, none: 0 }[choice ?? 'none']
    const { startDate, snapshotBlock, supportRequired, minAcceptQuorum, yea, nay, votingPower } = state
    const figures = [startDate, snapshotBlock, supportRequired, minAcceptQuorum, yea, nay, votingPower].map(BigInt)
    return [state.open, state.executed, ...figures, state.script]
  }
  const balance = (_name: string, [holder, block]: readonly unknown[]): unknown => {
    const at = Object.values(truth.votes).find(({ snapshot }) => BigInt(snapshot.block) === block)
    return BigInt(at?.snapshot.balanceOfAt[String(holder)] ?? 0)
  }
  return new RecordedContracts(trace, [
    { contract: Voting, abi: aragonVotingAbi, answer },
    { contract: TDT, abi: miniMeTokenAbi, answer: balance },
  ])
}

function bondingVotes(truth: LivepeerTruth, name: string, args: readonly unknown[], block: number): unknown {
  const atBlock = truth.rounds.find((entry) => entry.block === block)
  if (name === 'clock') return atBlock?.round
  if (atBlock !== undefined && atBlock.round + 1 === Number(args.at(-1))) {
    if (name === 'getTotalActiveStakeAt') return BigInt(atBlock.totalActiveStakeAtNext)
    const { votesNext, votesNextDelegate } = atBlock.accounts[String(args[0]).toLowerCase()] ?? {}
    return [BigInt(votesNext ?? ''), votesNextDelegate]
  }
  const { rounds, totalActiveStake, accounts } = truth.votesAtRoundStart
  const place = rounds.indexOf(Number(args.at(-1)))
  if (name === 'getTotalActiveStakeAt') return BigInt(totalActiveStake[place] ?? '')
  const account = accounts[String(args[0]).toLowerCase()]
  return [BigInt(account?.votes[place] ?? ''), account?.delegate[place]]
}

function bondingManager(truth: LivepeerTruth & GovernanceTruth, name: string, account: string, block: number): unknown {
  const round = truth.rounds.find((entry) => entry.block === block)?.accounts[account]
  const poll = Object.values(truth.polls).find(({ final }) => final.block === block)?.final.voters[account]
  const state = round ?? poll
  if (state === undefined) throw new Error(`nobody asked for ${account} at block ${block}`)
  const delegate = state.delegate === '' ? zeroAddress : state.delegate
  switch (name) {
    case 'pendingStake':
      return BigInt(state.pendingStake)
    case 'transcoderTotalStake':
      return BigInt(state.transcoderTotalStake)
    case 'isRegisteredTranscoder':
      return 'registered' in state ? state.registered : state.registeredTranscoder
    case 'isActiveTranscoder':
      return 'active' in state && state.active
    default:
      return [BigInt('bondedAmount' in state ? state.bondedAmount : 0), 0n, delegate, 0n, 0n, 0n, 0n]
  }
}

function governor(truth: GovernanceTruth, name: string, [id, account]: readonly unknown[]): unknown {
  if (name === 'quorum') {
    const proposal = Object.values(truth.proposals).find(({ snapshot }) => BigInt(snapshot) === id)
    return BigInt(proposal?.quorum ?? '')
  }
  const proposal = truth.proposals[String(id)]
  if (proposal === undefined) throw new Error(`nobody asked for proposal ${id}`)
  const { against, for: inFavor, abstain } = proposal.finalVotes
  switch (name) {
    case 'state':
      return proposal.finalState
    case 'proposalVotes':
      return [against, inFavor, abstain].map(BigInt)
    case 'proposalSnapshot':
      return BigInt(proposal.snapshot)
    case 'proposalDeadline':
      return BigInt(proposal.deadline)
    default:
      return proposal.hasVoted.includes(String(account).toLowerCase())
  }
}
