import { GraphQLClient } from 'graphql-request'
import { Comparer, type Comparison } from './livepeer-truth.ts'

/** What Livepeer's contracts on Ethereum L1 answered; see tests/traces/README.md. */
export interface L1Truth {
  meta: { initializedRounds: number[]; uninitializedRounds: number[]; lastRound: number; upgrade?: { round: number } }
  rounds: {
    round: number
    block: number
    version: string
    activeStake: Record<string, string>
    totalActiveStakeAtStart: string
    allocation: Record<string, string>
    transcoders: Record<
      string,
      { totalStake: string; totalStakeBefore: string; registered: boolean; inPool: boolean; active: boolean }
    >
    accounts: Record<string, { delegate: string; bondedAmount: string }>
    shared: boolean
  }[]
}

interface Answer {
  round: {
    totalActiveStake: string
    activeTranscoders: { account: string; votes: string; delegatedStake: string; isActive: boolean }[]
  }
  tokenAllocation: { totalStake: string; shares: { transcoder: string; stake: string; tokens: string }[] }
  stakeSnapshot: { totalActiveStake: string; holders: { nodes: { account: string; votes: string }[] } }
}

/** Asks for every initialised round and compares the active set, its stake and the allocation with the contracts. */
export async function compareL1(url: string, truth: L1Truth, network?: string): Promise<Comparison> {
  const api = new GraphQLClient(`${url}/graphql`)
  const result = new Comparer()
  const on = network === undefined ? '' : `, network: "${network}"`
  for (const entry of truth.rounds) {
    const { round } = entry
    const where = `round ${round}`
    if (Object.keys(entry.activeStake).length === 0) {
      const refused = await api
        .request(`{ tokenAllocation(round: ${round}${on}) { totalStake } }`)
        .catch((error: { response: { errors: { extensions: { code: string } }[] } }) => error.response.errors)
      result.equal(`${where} refused`, 'NO_ACTIVE_TRANSCODERS', codeOf(refused))
      continue
    }
    const answer = await api.request<Answer>(`{
      round(number: ${round}${on}) { totalActiveStake activeTranscoders { account votes delegatedStake isActive } }
      tokenAllocation(round: ${round}, supply: "100000000000000000000"${on}) { totalStake shares { transcoder stake tokens } }
      stakeSnapshot(round: ${round}${on}) { totalActiveStake holders(first: 1000, transcodersOnly: true) { nodes { account votes } } }
    }`)
    const { round: got, tokenAllocation, stakeSnapshot } = answer
    result.equal(`${where} totalActiveStake`, entry.totalActiveStakeAtStart, got.totalActiveStake)
    result.equal(`${where} snapshot's totalActiveStake`, entry.totalActiveStakeAtStart, stakeSnapshot.totalActiveStake)
    result.equal(`${where} seated stake`, entry.totalActiveStakeAtStart, tokenAllocation.totalStake)
    const stakes = Object.entries(entry.activeStake).sort()
    const active = got.activeTranscoders
    result.equal(`${where} active set`, stakes, active.map(({ account, votes }) => [account, votes]).sort())
    result.equal(`${where} delegated`, stakes, active.map((power) => [power.account, power.delegatedStake]).sort())
    result.equal(
      `${where} isActive`,
      true,
      active.every(({ isActive }) => isActive),
    )
    const { shares } = tokenAllocation
    result.equal(`${where} seats`, stakes, shares.map(({ transcoder, stake }) => [transcoder, stake]).sort())
    const allocation = Object.entries(entry.allocation).sort()
    result.equal(`${where} allocation`, allocation, shares.map((share) => [share.transcoder, share.tokens]).sort())
    // What the contract says of registration is of the block's end: the round's start where nothing followed.
    if (!entry.shared) {
      const transcoders = Object.entries(entry.transcoders)
        .filter(([, { registered, inPool }]) => registered && (inPool || entry.version !== 'v1'))
        .map(([account, { totalStakeBefore }]) => [account, totalStakeBefore])
      const holders = stakeSnapshot.holders.nodes.map(({ account, votes }) => [account, votes])
      result.equal(`${where} transcoders`, transcoders.sort(), holders.sort())
    }
  }
  return result
}

/** Asks for the end of the block of every NewRound and compares the transcoders and their stake with the contracts. */
export async function compareL1Blocks(url: string, truth: L1Truth, network: string): Promise<Comparison> {
  const api = new GraphQLClient(`${url}/graphql`)
  const result = new Comparer()
  for (const { round, block, version, transcoders } of truth.rounds) {
    const { stakeSnapshot } = await api.request<{
      stakeSnapshot: { round: number; block: string; holders: { nodes: Record<string, unknown>[] } }
    }>(`{ stakeSnapshot(block: ${block}, network: "${network}") { round block
      holders(first: 1000, transcodersOnly: true) { nodes { account votes delegatedStake isActive } } } }`)
    result.equal(`block ${block}`, [round, String(block)], [stakeSnapshot.round, stakeSnapshot.block])
    const expected = Object.entries(transcoders)
      .filter(
        ([, { registered, inPool, totalStake }]) => registered && (inPool || version !== 'v1') && totalStake !== '0',
      )
      .map(([account, { totalStake, active }]) => [account, totalStake, totalStake, active])
    const got = stakeSnapshot.holders.nodes.map((power) => Object.values(power))
    result.equal(`block ${block} transcoders`, expected.sort(), got.sort())
  }
  return result
}

function codeOf(errors: unknown): string | undefined {
  return (errors as { extensions: { code: string } }[])[0]?.extensions.code
}
