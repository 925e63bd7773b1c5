import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Address } from 'viem'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { compare } from '../../api/verification/verification.ts'
import { Api } from '../../cli/api.ts'
import { contractsOver } from '../../cli/contracts.ts'
import { waitFor } from '../../stack/processes.ts'
import { type Stack, startStack } from '../../stack/stack.ts'
import {
  type Anvil,
  type ChainClient,
  chainClient,
  type Dao,
  deployDao,
  GAS,
  paymentScript,
  startAnvil,
  TOKEN_ABI,
  VOTE_TIME,
  VOTING_ABI,
} from './aragon-contracts.ts'
import { makeFolder } from './stack-command.ts'

const PAID = 250n * 10n ** 18n
const folder = makeFolder()
let anvil: Anvil
let client: ChainClient
let dao: Dao
let stack: Stack | undefined

beforeAll(async () => {
  anvil = await startAnvil()
  client = chainClient(anvil.url)
  dao = await deployDao(client)
  await playVotes()
})

afterAll(async () => {
  try {
    await stack?.stop()
  } finally {
    await anvil?.stop()
    rmSync(folder, { recursive: true })
  }
})

/** Vote 0 pays, after a holder changed its mind; vote 1 ends in a tie of 50 to 50. */
async function playVotes(): Promise<void> {
  const paying = paymentScript(dao, dao.outsider, PAID)
  await write(dao.outsider, 'newVote', [paying, 'Pay the outsider', false, false])
  await castVote(0n, 0, false)
  for (const index of [1, 2, 3, 4, 5, 6, 7, 0]) await castVote(0n, index, true)
  await write(dao.outsider, 'executeVote', [0n])

  await write(holder(0), 'newVote', [paying, 'Pay the outsider again', false, false])
  // Of each pair one for and one against; but both of the last pair against, and who has as much as they for.
  for (let index = 0; index < 22; index++) await castVote(1n, index, index % 2 === 0)
  await castVote(1n, 22, false)
  await castVote(1n, 23, false)
  await castVote(1n, 24, true)
  await client.increaseTime({ seconds: Number(VOTE_TIME) })
  await client.mine({ blocks: 1 })
}

describe('the contracts', () => {
  it('executed the vote that passed, and paid', async () => {
    expect(await contractVote(0n)).toMatchObject({
      open: false,
      executed: true,
      canExecute: false,
      yea: tdt(52),
      nay: 0n,
    })
    expect(await lptOf(dao.outsider)).toBe(PAID)
    expect(await lptOf(dao.Vault)).toBe(3000n * 10n ** 18n - PAID)
  })

  it('rejected the tie', async () => {
    const rejected = {
      open: false,
      executed: false,
      canExecute: false,
      yea: tdt(50),
      nay: tdt(50),
      votingPower: tdt(100),
    }
    expect(await contractVote(1n)).toMatchObject(rejected)
    const about = { address: dao.Voting, abi: VOTING_ABI, functionName: 'executeVote', args: [1n] } as const
    const execution = client.simulateContract({ ...about, account: holder(0) })
    await expect(execution).rejects.toThrow(/VOTING_CAN_NOT_EXECUTE/)
  })
})

describe('the API', () => {
  let url: string

  beforeAll(async () => {
    const contracts = (['Voting', 'TokenManager', 'TDT', 'Vault', 'Finance', 'LPT'] as const).map((name) => [
      name,
      { address: dao[name], startBlock: 0 },
    ])
    const networksFile = join(folder, 'networks.json')
    writeFileSync(networksFile, JSON.stringify({ anvil: Object.fromEntries(contracts) }))
    const dataDir = join(folder, 'data')
    stack = await startStack({ networks: ['anvil'], networksFile, rpcUrls: { anvil: anvil.url }, dataDir })
    await stack.ready
    url = stack.url
    // `ready` means near the head of a chain that moves: here every block counts.
    const head = String(await client.getBlockNumber())
    const isThere = async () =>
      (await ask<{ status: { block: string }[] }>('{ status { block } }')).status[0]?.block === head
    await waitFor(async () => (await isThere()) || undefined, AbortSignal.timeout(120_000))
  })

  it.each([0n, 1n])('answers as the contracts do about vote %s', async (voteId) => {
    const id = `aragon:${dao.Voting.toLowerCase()}:${voteId}`
    const { proposal } = await ask<{ proposal: unknown }>(
      `{ proposal(id: "${id}") { id state ... on AragonVote {
        canExecute snapshotBlock startDate endDate supportRequired minimumQuorum script
        tally { for against electorate quorum } votes { nodes { voter choice weight } } } } }`,
    )
    expect(proposal).toEqual(await expectedAnswer(id, voteId))
  })

  it.each([0n, 1n])('is found right by verify, which asks the contracts about vote %s', async (voteId) => {
    const { compared, differences, notes } = await compare(
      { proposal: `aragon:${dao.Voting}:${voteId}` },
      {
        api: new Api(url),
        contracts: contractsOver(anvil.url, undefined),
        progress: { begin: () => {}, advance: () => {} },
      },
    )
    expect({ differences, notes }).toEqual({ differences: [], notes: [] })
    expect(compared).toBeGreaterThan(20)
  })

  /** What the API must answer, from the contracts alone. */
  async function expectedAnswer(id: string, voteId: bigint): Promise<object> {
    const vote = await contractVote(voteId)
    const closed = vote.canExecute ? 'SUCCEEDED' : 'DEFEATED'
    // The least x with floor(x / votingPower) over the minimum quorum.
    const quorum = ((vote.minAcceptQuorum + 1n) * vote.votingPower + 10n ** 18n - 1n) / 10n ** 18n
    return {
      id,
      state: vote.executed ? 'EXECUTED' : vote.open ? 'ACTIVE' : closed,
      canExecute: vote.canExecute,
      snapshotBlock: String(vote.snapshotBlock),
      startDate: isoDate(vote.startDate),
      endDate: isoDate(vote.startDate + VOTE_TIME),
      supportRequired: String(vote.supportRequired),
      minimumQuorum: String(vote.minAcceptQuorum),
      script: vote.script,
      tally: {
        for: String(vote.yea),
        against: String(vote.nay),
        electorate: String(vote.votingPower),
        quorum: String(quorum),
      },
      votes: { nodes: await contractVoters(voteId, vote.snapshotBlock) },
    }
  }

  async function ask<T>(query: string): Promise<T> {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query }),
    })
    const { data, errors } = (await response.json()) as { data?: T; errors?: unknown }
    if (!data || errors) throw new Error(`${query}: ${JSON.stringify(errors)}`)
    return data
  }
})

function holder(index: number): Address {
  const found = dao.holders[index]
  if (found === undefined) throw new Error(`no holder ${index}`)
  return found
}

function castVote(voteId: bigint, index: number, supports: boolean): Promise<void> {
  return write(holder(index), 'vote', [voteId, supports, false])
}

async function write(
  account: Address,
  ...[functionName, args]:
    | ['newVote', readonly [`0x${string}`, string, boolean, boolean]]
    | ['vote', readonly [bigint, boolean, boolean]]
    | ['executeVote', readonly [bigint]]
): Promise<void> {
  const call = { account, address: dao.Voting, abi: VOTING_ABI, functionName, args, gas: GAS }
  const hash = await client.writeContract(call)
  const { status } = await client.waitForTransactionReceipt({ hash })
  if (status !== 'success') throw new Error(`${functionName} was reverted`)
}

async function contractVote(voteId: bigint) {
  const about = { address: dao.Voting, abi: VOTING_ABI, args: [voteId] } as const
  const [open, executed, startDate, snapshotBlock, supportRequired, minAcceptQuorum, yea, nay, votingPower, script] =
    await client.readContract({ ...about, functionName: 'getVote' })
  const canExecute = await client.readContract({ ...about, functionName: 'canExecute' })
  const settings = { startDate, snapshotBlock, supportRequired, minAcceptQuorum, votingPower, script }
  return { open, executed, canExecute, yea, nay, ...settings }
}

/** Who voted what with which weight, in the order in which it was cast: of those who voted twice, the second time. */
async function contractVoters(voteId: bigint, snapshotBlock: bigint): Promise<object[]> {
  const cast = voteId === 0n ? [1, 2, 3, 4, 5, 6, 7, 0] : dao.holders.keys()
  const voters = []
  for (const voter of [...cast].map(holder)) {
    const args = [voteId, voter] as const
    const state = await client.readContract({
      address: dao.Voting,
      abi: VOTING_ABI,
      functionName: 'getVoterState',
      args,
    })
    const at = { address: dao.TDT, abi: TOKEN_ABI, functionName: 'balanceOfAt', args: [voter, snapshotBlock] } as const
    const weight = String(await client.readContract(at))
    voters.push({ voter: voter.toLowerCase(), choice: ['ABSENT', 'FOR', 'AGAINST'][state], weight })
  }
  return voters
}

function lptOf(owner: Address): Promise<bigint> {
  return client.readContract({ address: dao.LPT, abi: TOKEN_ABI, functionName: 'balanceOf', args: [owner] })
}

function tdt(whole: number): bigint {
  return BigInt(whole) * 10n ** 18n
}

function isoDate(seconds: bigint): string {
  return new Date(Number(seconds) * 1000).toISOString()
}
