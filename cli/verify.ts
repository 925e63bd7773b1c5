import { SingleBar } from 'cli-progress'
import { type Address, BaseError, type PublicClient } from 'viem'
import type { Api } from './api.ts'
import { BLOCK_HASH, Comparison, pollFromReads, spread } from './comparison.ts'
import {
  aragonVotingAbi,
  bondingManagerAbi,
  bondingVotesAbi,
  cannotVerify,
  chainOf,
  contractAddress,
  governorAbi,
  hasState,
  lastBlockSeeing,
  miniMeTokenAbi,
  requireContract,
} from './contracts.ts'
import { rowsOf } from './download.ts'
import { CliError, messageOf } from './errors.ts'

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

/** Accounts asked about at a time. */
const BATCH = 50
const NOBODY = `0x${'0'.repeat(40)}`
/** The states of the governor's state(), by number. */
const STATES = ['PENDING', 'ACTIVE', 'CANCELED', 'DEFEATED', 'SUCCEEDED', 'QUEUED', 'EXPIRED', 'EXECUTED']

interface SnapshotHead {
  network: string
  round: number
  final: boolean
  block: number
  blockHash: string | null
  totalActiveStake: string
}

interface Holder {
  account: Address
  votes: string
  stake: string
  bondedAmount: string
  delegatedStake: string
  delegate: string | null
  isTranscoder: boolean
  isActive: boolean
  checkpointed: boolean
}

/** What the API says of a proposal: the head of its votes' file. */
export interface TallyHead {
  id: string
  system: 'TREASURY' | 'POLL' | 'ARAGON'
  network: string
  block: number
  blockHash: string | null
  state: string
  for: string
  against: string
  abstain: string
  electorate: string
  quorum: string
  final: boolean
  snapshotRound?: number
  lastRound?: number
  endBlock?: string
  snapshotBlock?: number
  supportRequired?: string
  minimumQuorum?: string
  canExecute?: boolean
}

/** A vote as the API says it came to. */
export interface TallyVote {
  voter: Address
  choice: 'FOR' | 'AGAINST' | 'ABSTAIN'
  weight: string
  countedWeight: string
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

type Say = (line: string) => void

async function compareRound(
  api: Api,
  round: string,
  options: VerifyOptions,
  comparison: Comparison,
  say: Say,
): Promise<void> {
  const network = options.network === undefined ? '' : `?${new URLSearchParams({ network: options.network })}`
  const file = await rowsOf(api, `/snapshots/${round}.ndjson${network}`)
  const head = file.head as unknown as SnapshotHead
  const holders = file.rows as unknown as Holder[]
  const client = chainOf(options.rpc, head.network)
  const contracts = {
    bondingVotes: contractAddress(options.networksFile, head.network, 'BondingVotes'),
    bondingManager: contractAddress(options.networksFile, head.network, 'BondingManager'),
  }
  await requireContract(client, head.network, 'BondingVotes', contracts.bondingVotes)
  const asked = options.all ? holders : spread(holders, Number(options.sample))
  say(`round ${head.round} of ${head.network}, block ${head.block}: ${asked.length} of ${holders.length} holders`)
  await compareBlock(client, head, comparison)
  await compareVotes(client, contracts.bondingVotes, head, holders, asked, comparison)
  const block = await blockOfRoundStart(api, client, contracts.bondingManager, head, comparison)
  if (block !== null) await compareStake(client, contracts.bondingManager, block, asked, comparison)
}

async function compareBlock(
  client: PublicClient,
  { block, blockHash }: { block: number; blockHash: string | null },
  comparison: Comparison,
): Promise<void> {
  if (blockHash === null) return
  try {
    const { hash } = await client.getBlock({ blockNumber: BigInt(block) })
    comparison.equal(BLOCK_HASH, `block ${block}`, hash, blockHash)
  } catch (error) {
    comparison.notes.push(`hash of block ${block}: ${messageOf(error)}`)
  }
}

/** Votes and delegates by BondingVotes, whose current contract answers for past rounds too. */
async function compareVotes(
  client: PublicClient,
  address: Address,
  head: SnapshotHead,
  holders: readonly Holder[],
  asked: readonly Holder[],
  comparison: Comparison,
): Promise<void> {
  const round = BigInt(head.round)
  const contract = { address, abi: bondingVotesAbi, ...(head.final ? {} : { blockNumber: BigInt(head.block) }) }
  if (!holders.some(({ checkpointed }) => checkpointed)) {
    comparison.notes.push(`votes: BondingVotes had checkpointed nobody before round ${head.round}`)
    return
  }
  const total = await client.readContract({ ...contract, functionName: 'getTotalActiveStakeAt', args: [round] })
  comparison.equal('total active stake', `round ${head.round}`, total, head.totalActiveStake)
  const active = holders.filter(({ isActive }) => isActive)
  const sum = active.reduce((stakes, { delegatedStake }) => stakes + BigInt(delegatedStake), 0n)
  comparison.equal('sum over the active set', `round ${head.round}`, total, sum)
  const known = asked.filter(({ checkpointed }) => checkpointed)
  if (known.length < asked.length) {
    comparison.notes.push(`votes of ${asked.length - known.length} holders that BondingVotes had not checkpointed then`)
  }
  await inBatches('votes', known, async (holder) => {
    const [votes, delegate] = await client.readContract({
      ...contract,
      functionName: 'getVotesAndDelegateAtRoundStart',
      args: [holder.account, round],
    })
    comparison.equal('votes', holder.account, votes, holder.votes)
    comparison.equal('delegate', holder.account, delegate.toLowerCase(), holder.delegate ?? NOBODY)
  })
}

/**
 * The block at whose end BondingManager's state is that of the round's start; null, with a note, where there is none: the
 * round was not initialised, more happened in the block of its NewRound, or the chain has its state no more.
 */
async function blockOfRoundStart(
  api: Api,
  client: PublicClient,
  bondingManager: Address,
  { round, network, final, block: headBlock }: SnapshotHead,
  comparison: Comparison,
): Promise<bigint | null> {
  const without = (why: string) => {
    comparison.notes.push(`stake by BondingManager: ${why}`)
    return null
  }
  if (!final) return without(`round ${round} is yet to begin`)
  const { round: initialised } = await api.query<{
    round: { initializedAt: { block: string; logIndex: number } } | null
  }>(
    'query ($round: Int!, $network: String) { round(number: $round, network: $network) { initializedAt { block logIndex } } }',
    { round, network },
  )
  if (initialised === null) return without(`nobody initialised round ${round}`)
  const blockNumber = BigInt(headBlock)
  if (!(await hasState(client, bondingManager, blockNumber))) {
    return without(`this RPC has no state of block ${blockNumber}; an archive node has`)
  }
  const logs = await client
    .getLogs({ address: bondingManager, fromBlock: blockNumber, toBlock: blockNumber })
    .catch(() => null)
  if (logs === null) return without(`this RPC does not give the logs of block ${blockNumber}`)
  const { logIndex } = initialised.initializedAt
  if (logs.some((log) => log.logIndex > logIndex)) {
    return without(`stake changed in block ${blockNumber} after the round began`)
  }
  return blockNumber
}

async function compareStake(
  client: PublicClient,
  address: Address,
  blockNumber: bigint,
  asked: readonly Holder[],
  comparison: Comparison,
): Promise<void> {
  const contract = { address, abi: bondingManagerAbi, blockNumber }
  await inBatches('stake', asked, async (holder) => {
    const { account } = holder
    const [stake, delegated, isTranscoder, isActive, [bondedAmount]] = await Promise.all([
      client.readContract({ ...contract, functionName: 'pendingStake', args: [account, 0n] }),
      client.readContract({ ...contract, functionName: 'transcoderTotalStake', args: [account] }),
      client.readContract({ ...contract, functionName: 'isRegisteredTranscoder', args: [account] }),
      client.readContract({ ...contract, functionName: 'isActiveTranscoder', args: [account] }),
      client.readContract({ ...contract, functionName: 'getDelegator', args: [account] }),
    ])
    comparison.equal('stake', account, stake, holder.stake)
    comparison.equal('delegated stake', account, delegated, holder.delegatedStake)
    comparison.equal('bonded amount', account, bondedAmount, holder.bondedAmount)
    comparison.equal('registered transcoder', account, isTranscoder, holder.isTranscoder)
    comparison.equal('active transcoder', account, isActive, holder.isActive)
  })
}

async function compareProposal(
  api: Api,
  id: string,
  options: VerifyOptions,
  comparison: Comparison,
  say: Say,
): Promise<void> {
  const file = await rowsOf(api, `/proposals/${encodeURIComponent(id)}/votes.ndjson`)
  const head = file.head as unknown as TallyHead
  const votes = file.rows as unknown as TallyVote[]
  const client = chainOf(options.rpc, head.network)
  const addressOf = (contract: string) => contractAddress(options.networksFile, head.network, contract)
  say(`${head.id} of ${head.network} as of block ${head.block}: ${votes.length} votes`)
  switch (head.system) {
    case 'TREASURY': {
      const contracts = { governor: addressOf('LivepeerGovernor'), bondingVotes: addressOf('BondingVotes') }
      await requireContract(client, head.network, 'LivepeerGovernor', contracts.governor)
      await compareBlock(client, head, comparison)
      return compareTreasuryProposal(client, contracts, head, votes, comparison)
    }
    case 'POLL': {
      const bondingManager = addressOf('BondingManager')
      await requireContract(client, head.network, 'BondingManager', bondingManager)
      await compareBlock(client, head, comparison)
      return comparePoll(client, bondingManager, head, votes, comparison)
    }
    case 'ARAGON': {
      const [, app = ''] = head.id.split(':')
      await requireContract(client, head.network, 'Voting app', app as Address)
      await compareBlock(client, head, comparison)
      return compareAragonVote(client, head, votes, comparison)
    }
  }
}

/** A treasury proposal by LivepeerGovernor, and its voters' power by BondingVotes. */
async function compareTreasuryProposal(
  client: PublicClient,
  { governor, bondingVotes }: { governor: Address; bondingVotes: Address },
  head: TallyHead,
  votes: readonly TallyVote[],
  comparison: Comparison,
): Promise<void> {
  const at = await moment(client, governor, BigInt(head.block), comparison)
  const contract = { address: governor, abi: governorAbi, ...at }
  const id = BigInt(head.id.split(':')[1] ?? '')
  const snapshot = BigInt(head.snapshotRound ?? 0)
  const [state, [against, inFavor, abstain], snapshotRound, lastRound] = await Promise.all([
    client.readContract({ ...contract, functionName: 'state', args: [id] }),
    client.readContract({ ...contract, functionName: 'proposalVotes', args: [id] }),
    client.readContract({ ...contract, functionName: 'proposalSnapshot', args: [id] }),
    client.readContract({ ...contract, functionName: 'proposalDeadline', args: [id] }),
  ])
  comparison.equal('state', head.id, STATES[state], head.state)
  comparison.equal('for', head.id, inFavor, head.for)
  comparison.equal('against', head.id, against, head.against)
  comparison.equal('abstain', head.id, abstain, head.abstain)
  comparison.equal('snapshot round', head.id, snapshotRound, head.snapshotRound)
  comparison.equal('last round', head.id, lastRound, head.lastRound)
  // The contract does not answer for a snapshot that is yet to come.
  if (head.final) {
    const quorum = await client.readContract({ ...contract, functionName: 'quorum', args: [snapshot] })
    comparison.equal('quorum', head.id, quorum, head.quorum)
  }
  await inBatches('votes', votes, async ({ voter, weight }) => {
    const [hasVoted, [power]] = await Promise.all([
      client.readContract({ ...contract, functionName: 'hasVoted', args: [id, voter] }),
      client.readContract({
        address: bondingVotes,
        abi: bondingVotesAbi,
        functionName: 'getVotesAndDelegateAtRoundStart',
        args: [voter, snapshot + 1n],
      }),
    ])
    comparison.equal('has voted', voter, hasVoted, true)
    comparison.equal('weight', voter, power, weight)
  })
}

/** A poll counted anew from what BondingManager answers at its end block; while it is open, at the API's block. */
async function comparePoll(
  client: PublicClient,
  address: Address,
  head: TallyHead,
  votes: readonly TallyVote[],
  comparison: Comparison,
): Promise<void> {
  const blockNumber = head.final ? await lastBlockSeeing(client, BigInt(head.endBlock ?? 0)) : BigInt(head.block)
  if (!(await hasState(client, address, blockNumber))) {
    comparison.notes.push(`the poll: this RPC has no state of block ${blockNumber}; an archive node has`)
    return
  }
  comparison.notes.push("the voters' choices: they are events, what they weigh is compared")
  const contract = { address, abi: bondingManagerAbi, blockNumber }
  const voters = await inBatches('votes', votes, async ({ voter, choice }) => {
    const [isRegisteredTranscoder, transcoderTotalStake, pendingStake, delegator] = await Promise.all([
      client.readContract({ ...contract, functionName: 'isRegisteredTranscoder', args: [voter] }),
      client.readContract({ ...contract, functionName: 'transcoderTotalStake', args: [voter] }),
      client.readContract({ ...contract, functionName: 'pendingStake', args: [voter, 0n] }),
      client.readContract({ ...contract, functionName: 'getDelegator', args: [voter] }),
    ])
    const delegate = delegator[2].toLowerCase()
    return { voter, choice, isRegisteredTranscoder, transcoderTotalStake, pendingStake, delegate }
  })
  const poll = pollFromReads(voters)
  comparison.equal('for', head.id, poll.for, head.for)
  comparison.equal('against', head.id, poll.against, head.against)
  for (const { voter, weight, countedWeight } of votes) {
    comparison.equal('weight', voter, poll.weights.get(voter)?.weight, weight)
    comparison.equal('counted weight', voter, poll.weights.get(voter)?.countedWeight, countedWeight)
  }
}

/** An Aragon vote by its Voting app, and its voters' power by the voting token. */
export async function compareAragonVote(
  client: PublicClient,
  head: TallyHead,
  votes: readonly TallyVote[],
  comparison: Comparison,
): Promise<void> {
  const [, app = '', number = ''] = head.id.split(':')
  const address = app as Address
  const voteId = BigInt(number)
  const contract = { address, abi: aragonVotingAbi, ...(await moment(client, address, BigInt(head.block), comparison)) }
  const [vote, canExecute, token] = await Promise.all([
    client.readContract({ ...contract, functionName: 'getVote', args: [voteId] }),
    client.readContract({ ...contract, functionName: 'canExecute', args: [voteId] }),
    client.readContract({ ...contract, functionName: 'token' }),
  ])
  const [open, executed, , snapshotBlock, supportRequired, minAcceptQuorum, yea, nay, votingPower] = vote
  comparison.equal('open', head.id, open, head.state === 'ACTIVE')
  comparison.equal('executed', head.id, executed, head.state === 'EXECUTED')
  comparison.equal('can be executed', head.id, canExecute, head.canExecute)
  comparison.equal('yea', head.id, yea, head.for)
  comparison.equal('nay', head.id, nay, head.against)
  comparison.equal('voting power', head.id, votingPower, head.electorate)
  comparison.equal('snapshot block', head.id, snapshotBlock, head.snapshotBlock)
  comparison.equal('support required', head.id, supportRequired, head.supportRequired)
  comparison.equal('minimum quorum', head.id, minAcceptQuorum, head.minimumQuorum)
  await inBatches('votes', votes, async ({ voter, choice, weight }) => {
    const [state, balance] = await Promise.all([
      client.readContract({ ...contract, functionName: 'getVoterState', args: [voteId, voter] }),
      client.readContract({
        address: token,
        abi: miniMeTokenAbi,
        functionName: 'balanceOfAt',
        args: [voter, snapshotBlock],
      }),
    ])
    comparison.equal('choice', voter, ['none', 'FOR', 'AGAINST'][state], choice)
    comparison.equal('weight', voter, balance, weight)
  })
}

/** The API's block to read at; where the chain has its state no more, now, with a note. */
async function moment(
  client: PublicClient,
  address: Address,
  blockNumber: bigint,
  comparison: Comparison,
): Promise<{ blockNumber?: bigint }> {
  if (await hasState(client, address, blockNumber)) return { blockNumber }
  comparison.notes.push(`the state of block ${blockNumber}: this RPC has it no more, compared with that of now`)
  return {}
}

/** Asks about many accounts, some at a time, with a progress bar in a terminal. */
async function inBatches<Item, Answer>(
  what: string,
  items: readonly Item[],
  ask: (item: Item) => Promise<Answer>,
): Promise<Answer[]> {
  const bar = new SingleBar({
    format: `${what.padEnd(6)} {bar} {value} of {total}`,
    stream: process.stderr,
    hideCursor: true,
    clearOnComplete: true,
  })
  if (process.stderr.isTTY) bar.start(items.length, 0)
  const answers: Answer[] = []
  try {
    for (let start = 0; start < items.length; start += BATCH) {
      answers.push(...(await Promise.all(items.slice(start, start + BATCH).map(ask))))
      bar.update(answers.length)
    }
  } finally {
    bar.stop()
  }
  return answers
}
