import { readFileSync, writeFileSync } from 'node:fs'
import { buildClientSchema, getIntrospectionQuery, type IntrospectionQuery, printSchema } from 'graphql'
import { GraphQLClient, gql } from 'graphql-request'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readTrace } from '../../stack/trace.ts'
import { compareMoments, compareStake, type LivepeerTruth, readTruth, traceFile } from './livepeer-truth.ts'
import { serveAlone, serveShared } from './shared-chains.ts'

describe.each([
  ['small', serveAlone],
  ['medium', serveShared],
])('the %s trace, through the HTTP API', (name, serveTrace) => {
  const truth = readTruth<LivepeerTruth>(`livepeer/${name}`)
  let stack: Awaited<ReturnType<typeof serveTrace>>
  let api: GraphQLClient

  beforeAll(async () => {
    stack = await serveTrace(`livepeer/${name}`)
    api = new GraphQLClient(`${stack.url}/graphql`)
  })
  afterAll(() => stack?.close())

  test('equals the contracts for every account and round', async () => {
    const { compared, differences } = await compareStake(stack.url, truth)
    console.log(`livepeer/${name}: ${compared} values of stake and voting power compared`)
    expect(differences).toEqual([])
    expect(compared).toBeGreaterThan(3000)
  })

  test('equals the contracts for every account at the end of blocks', async () => {
    const { compared, differences } = await compareMoments(stack.url, truth)
    console.log(`livepeer/${name}: ${compared} values of stake and voting power at blocks compared`)
    expect(differences).toEqual([])
    expect(compared).toBeGreaterThan(3000)
  })

  test('fails on one wei at a block', async () => {
    const wrong = structuredClone(truth)
    const [account, power] = Object.entries(wrong.rounds.at(-1)?.accounts ?? {})[3] ?? []
    const [poll] = Object.values(wrong.polls)
    const [voter] = Object.values(poll?.final.voters ?? {})
    if (power === undefined || voter === undefined) throw new Error('nothing to falsify')
    power.votesNext = String(BigInt(power.votesNext) + 1n)
    voter.pendingStake = String(BigInt(voter.pendingStake) - 1n)
    const { differences } = await compareMoments(stack.url, wrong)
    expect(differences).toEqual([
      expect.stringContaining(`${account} votes: expected`),
      expect.stringContaining('stake: expected'),
    ])
  })

  test('fails on one wei', async () => {
    const wrong = structuredClone(truth)
    const [account] = Object.entries(wrong.votesAtRoundStart.accounts)[3] ?? []
    const last = wrong.votesAtRoundStart.rounds.length - 1
    const votes = wrong.votesAtRoundStart.accounts[account ?? '']?.votes ?? []
    votes[last] = String(BigInt(votes[last] ?? 0) + 1n)
    const { differences } = await compareStake(stack.url, wrong)
    expect(differences).toHaveLength(1)
    expect(differences[0]).toContain(`${account} votes: expected`)
  })

  test('no event contradicts the state, and the index is at the head', async () => {
    const { header } = await readTrace(traceFile(`livepeer/${name}`))
    const { status } = await api.request<{ status: unknown[] }>(gql`
      {
        status {
          network
          chainId
          contracts {
            name
            address
          }
          block
          headBlock
          lagBlocks
          round
          firstRound
          synced
          hasIndexingErrors
          contradictionCount
          contradictions {
            message
          }
        }
      }
    `)
    expect(status).toEqual([
      {
        network: 'recorded',
        chainId: header.chainId,
        contracts: Object.entries(header.contracts)
          .map(([name, address]) => ({ name, address: address.toLowerCase() }))
          .sort((a, b) => (a.name < b.name ? -1 : 1)),
        block: String(truth.meta.lastBlock),
        headBlock: String(truth.meta.lastBlock),
        lagBlocks: '0',
        round: truth.meta.initializedRounds.at(-1),
        firstRound: truth.meta.initializedRounds[0],
        synced: true,
        hasIndexingErrors: false,
        contradictionCount: 0,
        contradictions: [],
      },
    ])
  })

  test('history, snapshots, delegators and active sets agree with voting power asked round by round', async () => {
    const accounts = Object.keys(truth.votesAtRoundStart.accounts)
    const rounds = truth.votesAtRoundStart.rounds.filter((round) => round >= (truth.meta.initializedRounds[0] ?? 0))
    const fields = 'account round votes delegate isTranscoder isActive stake bondedAmount delegatedStake checkpointed'
    const byRound = new Map<number, Record<string, unknown>[]>()
    for (const round of rounds) {
      const { votingPowers } = await api.request<{ votingPowers: Record<string, unknown>[] }>(
        `query ($accounts: [Address!]!, $round: Int!) { votingPowers(accounts: $accounts, round: $round) { ${fields} } }`,
        { accounts, round },
      )
      byRound.set(round, votingPowers)
    }

    for (const [place, address] of accounts.entries()) {
      const changes = rounds.flatMap((round) => {
        const power = byRound.get(round)?.[place]
        const before = byRound.get(round - 1)?.[place] ?? {
          ...power,
          votes: '0',
          delegate: null,
          isTranscoder: false,
          isActive: false,
          stake: '0',
          bondedAmount: '0',
          delegatedStake: '0',
          checkpointed: false,
        }
        return JSON.stringify({ ...before, round }) === JSON.stringify(power) ? [] : [power]
      })
      const history: unknown[] = []
      for (let after: string | null = null, more = true; more; ) {
        const answer: HistoryAnswer = await api.request(
          `query ($address: Address!, $after: String) {
            account(address: $address) {
              votingPowerHistory(first: 25, after: $after) { nodes { ${fields} } pageInfo { hasNextPage endCursor } totalCount }
            }
          }`,
          { address, after },
        )
        const page = answer.account.votingPowerHistory
        expect(page.totalCount).toBe(changes.length)
        history.push(...page.nodes)
        after = page.pageInfo.endCursor
        more = page.pageInfo.hasNextPage
      }
      expect(history).toEqual(changes)
    }

    for (const round of rounds.filter((_, index) => index % 5 === 0)) {
      const powers = (byRound.get(round) ?? []) as { account: string; votes: string; stake: string; delegate: string }[]
      const ordered = powers.toSorted((a, b) =>
        a.votes === b.votes ? (a.account < b.account ? -1 : 1) : BigInt(a.votes) > BigInt(b.votes) ? -1 : 1,
      )
      const holders = ordered.filter(({ stake, votes }) => stake !== '0' || votes !== '0')
      const { stakeSnapshot } = await api.request<{
        stakeSnapshot: { holders: { nodes: unknown[]; totalCount: number } }
      }>(
        `query ($round: Int!) { stakeSnapshot(round: $round) { holders(first: 1000) { nodes { ${fields} } totalCount } } }`,
        { round },
      )
      expect(stakeSnapshot.holders).toEqual({ nodes: holders, totalCount: holders.length })
      const [top] = holders
      if (top === undefined) continue
      const { account } = await api.request<{ account: { delegators: { nodes: unknown[] } } }>(
        `query ($address: Address!, $round: Int!) {
          account(address: $address) { delegators(round: $round, first: 1000) { nodes { ${fields} } } }
        }`,
        { address: top.account, round },
      )
      expect(account.delegators.nodes).toEqual(holders.filter(({ delegate }) => delegate === top.account))
    }
  })

  test('the concentration of every round is that of its active set, and of everybody', async () => {
    const { rounds, proposals } = await api.request<{ rounds: { nodes: Concentrated[] }; proposals: Quorums }>(
      `{ rounds(first: 1000) { nodes { number totalActiveStake activeTranscoders { votes }
          active: concentration { ${CONCENTRATION} } holders: concentration(of: HOLDERS) { ${CONCENTRATION} } } }
        proposals(first: 1000, filter: { system: [TREASURY] }) {
          nodes { ... on TreasuryProposal { snapshotRound } tally { quorum } } } }`,
    )
    const quorums = new Map(proposals.nodes.map(({ snapshotRound, tally }) => [snapshotRound + 1, tally.quorum]))
    for (const { number, totalActiveStake, activeTranscoders, active, holders } of rounds.nodes) {
      const { stakeSnapshot } = await api.request<{ stakeSnapshot: { holders: { nodes: { stake: string }[] } } }>(
        `{ stakeSnapshot(round: ${number}) { holders(first: 1000) { nodes { stake } } } }`,
      )
      const stakes = stakeSnapshot.holders.nodes.map(({ stake }) => BigInt(stake)).filter((stake) => stake > 0n)
      const votes = activeTranscoders.map((transcoder) => BigInt(transcoder.votes))
      const sum = (amounts: readonly bigint[]) => amounts.reduce((total, amount) => total + amount, 0n)
      for (const [amounts, got] of [
        [votes, active],
        [stakes, holders],
      ] as const) {
        const mostFirst = amounts.toSorted((a, b) => (a > b ? -1 : 1))
        const half = mostFirst.findIndex((_, index) => sum(mostFirst.slice(0, index + 1)) * 2n > sum(amounts)) + 1
        const quorum = quorums.get(number)
        const enough = mostFirst.findIndex((_, index) => sum(mostFirst.slice(0, index + 1)) >= BigInt(quorum ?? 0)) + 1
        expect([number, got]).toMatchObject([
          number,
          {
            count: amounts.length,
            total: String(sum(amounts)),
            nakamoto50: half,
            ...(quorum === undefined ? {} : { nakamotoQuorum: enough }),
          },
        ])
        expect(got.gini).toMatch(/^0\.\d{6}$/)
      }
      expect([number, active.total]).toEqual([number, totalActiveStake])
    }
    expect([...quorums.keys()].some((round) => rounds.nodes.some(({ number }) => number === round))).toBe(true)
  })

  test('the schema graph-node serves is the one the queries are typed against', async () => {
    const [chain] = stack.chains
    const introspection = await new GraphQLClient(chain?.subgraphUrl ?? '').request<IntrospectionQuery>(
      getIntrospectionQuery({ descriptions: false }),
    )
    const file = new URL('../../subgraph/query-schema.graphql', import.meta.url)
    const served = `${printSchema(buildClientSchema(introspection))}\n`
    if (process.env.UPDATE_QUERY_SCHEMA === '1') writeFileSync(file, served)
    expect(served).toBe(readFileSync(file, 'utf8'))
  })
})

const CONCENTRATION = 'count total nakamoto50 nakamotoQuorum gini'

interface Concentrated {
  number: number
  totalActiveStake: string
  activeTranscoders: { votes: string }[]
  active: Record<'total' | 'gini', string>
  holders: Record<'total' | 'gini', string>
}

interface Quorums {
  nodes: { snapshotRound: number; tally: { quorum: string } }[]
}

interface HistoryAnswer {
  account: {
    votingPowerHistory: {
      nodes: unknown[]
      totalCount: number
      pageInfo: { hasNextPage: boolean; endCursor: string | null }
    }
  }
}
