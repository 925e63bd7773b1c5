import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { GraphQLClient, gql } from 'graphql-request'

/** What the contracts answered beside a recorded trace; see tests/traces/README.md. */
export interface LivepeerTruth {
  meta: { firstRound: number; lastRound: number; lastBlock: number; roundLength: number; initializedRounds: number[] }
  votesAtRoundStart: {
    rounds: number[]
    totalActiveStake: string[]
    accounts: Record<string, { votes: string[]; delegate: string[] }>
  }
  rounds: {
    round: number
    block: number
    shared: boolean
    /** getTotalActiveStakeAt of the next round, at the end of the block. */
    totalActiveStakeAtNext: string
    accounts: Record<
      string,
      {
        transcoderTotalStake: string
        pendingStake: string
        bondedAmount: string
        registered: boolean
        active: boolean
        delegate: string
        /** getVotesAndDelegateAtRoundStart of the next round, at the end of the block. */
        votesNext: string
        votesNextDelegate: string
      }
    >
  }[]
  polls: Record<
    string,
    Record<'final', PollMoment> & {
      timeline: PollMoment[]
    }
  >
}

/** What the contracts answered of a poll's voters at the end of a block. */
interface PollMoment {
  block: number
  voters: Record<string, { registeredTranscoder: boolean; transcoderTotalStake: string; pendingStake: string }>
}

/** The folder of a trace that ships with the project. */
export function traceFile(name: string): string {
  return new URL(`../traces/${name}/trace.jsonl.gz`, import.meta.url).pathname
}

/** The truth of a trace that ships with the project. */
export function readTruth<Truth>(name: string): Truth {
  const file = new URL(`../traces/${name}/truth.json.gz`, import.meta.url)
  return JSON.parse(gunzipSync(readFileSync(file)).toString()) as Truth
}

/** Values compared, and each that differed as "where: expected …, got …". */
export interface Comparison {
  compared: number
  differences: string[]
}

/** Compares by string, so that one wei counts. */
export class Comparer implements Comparison {
  compared = 0
  differences: string[] = []

  equal(where: string, expected: unknown, got: unknown): void {
    this.compared += 1
    if (JSON.stringify(expected) !== JSON.stringify(got)) {
      this.differences.push(`${where}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(got)}`)
    }
  }
}

interface Power {
  account: string
  votes: string
  delegate: string | null
  isTranscoder: boolean
  isActive: boolean
  stake: string
  bondedAmount: string
  delegatedStake: string
}

const AT_ROUND = gql`
  query AtRound($accounts: [Address!]!, $round: Int!) {
    votingPowers(accounts: $accounts, round: $round) {
      account
      votes
      delegate
      isTranscoder
      isActive
      stake
      bondedAmount
      delegatedStake
    }
    stakeSnapshot(round: $round) {
      totalActiveStake
    }
  }
`

const POWER = 'account round block votes delegate isTranscoder isActive stake bondedAmount delegatedStake'
const AT_BLOCK = `query ($accounts: [Address!]!, $block: BigInt!) {
  votingPowers(accounts: $accounts, block: $block) { ${POWER} }
  stakeSnapshot(block: $block) { round block totalActiveStake }
  roundAt(block: $block) { number }
}`

interface AtBlock {
  votingPowers: (Power & { round: number; block: string })[]
  stakeSnapshot: { round: number; block: string; totalActiveStake: string }
  roundAt: { number: number }
}

/**
 * Asks the API for the end of every block that the truth knows, of NewRounds and in the midst of rounds at which polls were
 * looked at, and compares each value with the contracts' answer there.
 */
export async function compareMoments(url: string, truth: LivepeerTruth): Promise<Comparison> {
  const api = new GraphQLClient(`${url}/graphql`)
  const result = new Comparer()
  for (const { round, block, accounts, totalActiveStakeAtNext } of truth.rounds) {
    const addresses = Object.keys(accounts)
    const answer = await api.request<AtBlock>(AT_BLOCK, { accounts: addresses, block: String(block) })
    const at = { round, block: String(block) }
    result.equal(`block ${block} snapshot`, { ...at, totalActiveStake: totalActiveStakeAtNext }, answer.stakeSnapshot)
    result.equal(`block ${block} roundAt`, round, answer.roundAt.number)
    for (const [place, power] of answer.votingPowers.entries()) {
      const account = addresses[place] ?? ''
      const where = `block ${block} ${account}`
      const state = accounts[account]
      if (state === undefined) continue
      result.equal(`${where} account`, { ...at, account }, { round: power.round, block: power.block, account })
      result.equal(`${where} votes`, state.votesNext, power.votes)
      result.equal(`${where} delegate`, state.votesNextDelegate, power.delegate ?? NOBODY)
      result.equal(`${where} stake`, state.pendingStake, power.stake)
      result.equal(`${where} delegatedStake`, state.transcoderTotalStake, power.delegatedStake)
      result.equal(`${where} bondedAmount`, state.bondedAmount, power.bondedAmount)
      result.equal(`${where} isTranscoder`, state.registered, power.isTranscoder)
      result.equal(`${where} isActive`, state.active, power.isActive)
    }
  }
  for (const { block, voters } of Object.values(truth.polls).flatMap(({ final, timeline }) => [final, ...timeline])) {
    const addresses = Object.keys(voters)
    const answer = await api.request<AtBlock>(AT_BLOCK, { accounts: addresses, block: String(block) })
    result.equal(`block ${block} round`, Math.floor(block / truth.meta.roundLength), answer.stakeSnapshot.round)
    for (const [place, power] of answer.votingPowers.entries()) {
      const voter = voters[addresses[place] ?? '']
      if (voter === undefined) continue
      const where = `block ${block} voter ${addresses[place]}`
      result.equal(`${where} stake`, voter.pendingStake, power.stake)
      result.equal(`${where} delegatedStake`, voter.transcoderTotalStake, power.delegatedStake)
      result.equal(`${where} isTranscoder`, voter.registeredTranscoder, power.isTranscoder)
    }
  }
  return result
}

const NOBODY = `0x${'0'.repeat(40)}`

/** Asks the API for every account and round of the truth and compares each value with the contracts' answer. */
export async function compareStake(url: string, truth: LivepeerTruth): Promise<Comparison> {
  const api = new GraphQLClient(`${url}/graphql`)
  const result = new Comparer()
  const { rounds, totalActiveStake, accounts } = truth.votesAtRoundStart
  const addresses = Object.keys(accounts)
  const firstRound = Math.min(...truth.meta.initializedRounds)
  const atNewRound = new Map(truth.rounds.filter(({ shared }) => !shared).map((entry) => [entry.round, entry]))
  for (const [index, round] of rounds.entries()) {
    if (round < firstRound) continue
    const answer = await api.request<{ votingPowers: Power[]; stakeSnapshot: { totalActiveStake: string } }>(AT_ROUND, {
      accounts: addresses,
      round,
    })
    result.equal(`round ${round} totalActiveStake`, totalActiveStake[index], answer.stakeSnapshot.totalActiveStake)
    for (const [place, power] of answer.votingPowers.entries()) {
      const account = addresses[place] ?? ''
      const where = `round ${round} ${account}`
      result.equal(`${where} account`, account, power.account)
      result.equal(`${where} votes`, accounts[account]?.votes[index], power.votes)
      result.equal(`${where} delegate`, accounts[account]?.delegate[index], power.delegate ?? NOBODY)
      const state = atNewRound.get(round)?.accounts[account]
      if (state === undefined) continue
      result.equal(`${where} stake`, state.pendingStake, power.stake)
      result.equal(`${where} delegatedStake`, state.transcoderTotalStake, power.delegatedStake)
      result.equal(`${where} bondedAmount`, state.bondedAmount, power.bondedAmount)
      result.equal(`${where} isTranscoder`, state.registered, power.isTranscoder)
      result.equal(`${where} isActive`, state.active, power.isActive)
    }
  }
  return result
}
