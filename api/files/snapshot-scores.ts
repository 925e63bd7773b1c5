// Scores as Snapshot's strategies "api-v2" and "api-post" read them, and what the latter asks. Pure.

import { ApiError } from '../facts/errors.ts'
import { countedVotes } from '../rules/tally.ts'
import type { VotingPower } from '../rules/voting-power.ts'
import { batches, jsonText } from './table-file.ts'

/** One account's score, wei: a strategy's `decimals` is 18. */
export interface Score {
  address: string
  score: bigint
}

/** What a strategy asks for. */
export interface ScoresQuestion {
  /** Decimal text. */
  chainId: string
  /** Null for the latest. */
  block: number | null
  /** As they were spelled. */
  addresses: readonly string[]
  /** Whether they are all voters, so that a delegator's votes are taken off its transcoder's. */
  overrides: boolean
}

/** As many as one request of Snapshot has at the most; 500 is what a strategy must cope with. */
const MAX_ADDRESSES = 1000

/** The JSON of scores, as the strategies read it. */
export function* scoresJson(scores: readonly Score[]): Generator<string> {
  yield '{"score":['
  let separator = '\n'
  for (const batch of batches(scores)) {
    yield separator + batch.map((score) => jsonText(score)).join(',\n')
    separator = ',\n'
  }
  yield '\n]}\n'
}

/** What everybody with votes has of them. */
export function scoresOfHolders(holders: readonly VotingPower[]): Score[] {
  return holders.filter(({ votes }) => votes > 0n).map(({ account, votes }) => ({ address: account, score: votes }))
}

/**
 * A score for each address asked, in its order and as it was spelled, since a strategy may look it up by that; 0 for who
 * was never seen. With overrides a transcoder's is less by those of its delegators among them, as a vote of theirs is
 * (GovernorCountingOverridable._handleVoteOverrides).
 */
export function scoresOfAsked(
  { addresses, overrides }: Pick<ScoresQuestion, 'addresses' | 'overrides'>,
  powerOf: (account: string) => VotingPower,
): Score[] {
  const powers = new Map<string, VotingPower>()
  for (const address of addresses) {
    const account = address.toLowerCase()
    if (!powers.has(account)) powers.set(account, powerOf(account))
  }
  const votes = [...powers.values()].map((power) => ({ voter: power.account, weight: power.votes }))
  const transcoderOf = (voter: string) => {
    const delegate = powers.get(voter)?.delegate ?? null
    return !overrides || delegate === voter ? null : delegate
  }
  const counted = countedVotes(votes, transcoderOf)
  return addresses.map((address) => ({
    address,
    score: counted.get(address.toLowerCase())?.countedWeight ?? 0n,
  }))
}

/** What a body asks; BAD_USER_INPUT, with what would be right, for any other than the strategy "api-post" sends. */
export function readScoresQuestion(body: unknown): ScoresQuestion {
  if (!isRecord(body)) throw unfit('the body', 'a JSON object with network, snapshot and addresses')
  const { network, snapshot, addresses, options = {} } = body
  if (typeof network !== 'string' || !/^\d{1,20}$/.test(network)) {
    throw unfit('network', 'the id of a chain as decimal text, such as "42161"')
  }
  if (!isRecord(options)) throw unfit('options', "the strategy's options, an object")
  const { overrides = false } = options
  if (typeof overrides !== 'boolean') throw unfit('options.overrides', 'true or false')
  return { chainId: network, block: blockOf(snapshot), addresses: addressesOf(addresses), overrides }
}

function blockOf(snapshot: unknown): number | null {
  if (snapshot === 'latest') return null
  if (typeof snapshot === 'number' && Number.isSafeInteger(snapshot) && snapshot >= 0) return snapshot
  throw unfit('snapshot', 'the number of a block, or "latest"')
}

function addressesOf(addresses: unknown): string[] {
  if (!Array.isArray(addresses)) throw unfit('addresses', 'a list of addresses')
  if (addresses.length > MAX_ADDRESSES) {
    const most = MAX_ADDRESSES.toLocaleString('en')
    throw new ApiError(
      'BAD_USER_INPUT',
      `${addresses.length.toLocaleString('en')} addresses are given, at most ${most}`,
    )
  }
  return addresses.map((address: unknown, index) => {
    if (typeof address === 'string' && /^0x[\da-fA-F]{40}$/.test(address)) return address
    throw unfit(`addresses[${index}]`, 'an address: 0x and 40 hex digits')
  })
}

function unfit(what: string, right: string): ApiError {
  return new ApiError('BAD_USER_INPUT', `${what} does not fit: it must be ${right}`)
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
