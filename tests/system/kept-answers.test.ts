import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ApiError } from '../../api/facts/errors.ts'
import { type Facts, HeldFacts } from '../../api/facts/facts.ts'
import type { FactsSource } from '../../api/facts/followed-chain.ts'
import { type Lists, Names } from '../../api/facts/series.ts'
import { StakeFacts } from '../../api/facts/stake.ts'
import type { ApiServer } from '../../api/server.ts'
import { FOLLOWED_WELL, NO_FACTS } from '../no-facts.ts'
import { serveFacts } from './serve.ts'

/** Enough for answers that are long enough to be kept. */
const HOLDERS = 60
const ROUND_LENGTH = 10
/** Final facts end here, amid round 19. */
const MARK = 195
const HEAD = 225
const NOW = Math.floor(Date.now() / 1000)

const account = (index: number) => `0x${(index + 1).toString(16).padStart(40, '0')}`
const hash = (index: number) => `0x${index.toString(16).padStart(64, '1')}`

/**
 * Each round from one to another begins in its first block, and everybody bonds in its second, each round as much more;
 * where that is another amount the blocks are others, too.
 */
function rounds(from: number, to: number, each: number): Lists {
  const numbers = Array.from({ length: to - from + 1 }, (_, index) => from + index)
  const position = (block: number) => {
    const log = { block, logIndex: 0, timestamp: String(NOW), transactionHash: hash(block) }
    return { round: Math.floor(block / ROUND_LENGTH), ...log }
  }
  return {
    ...NO_FACTS,
    rounds: numbers.map((number) => {
      const block = number * ROUND_LENGTH
      const totals = { totalActiveStake: '5000', totalStake: '6000', activeSetTold: true }
      return { number, ...totals, blockHash: hash(block + 1000 * each), ...position(block) }
    }),
    delegatorPositions: numbers.flatMap((number) =>
      Array.from({ length: HOLDERS }, (_, index) => ({
        id: account(index),
        delegate: { id: account(index % 5) },
        bondedAmount: String((index + 1) * each * number),
        ...{ lastClaimRound: number, exact: true, fromRound: number + 1, fromBlock: number * ROUND_LENGTH + 1 },
      })),
    ),
  }
}

/** A chain whose facts and head are what the test says. */
class ToldChain implements FactsSource {
  readonly network = 'told'
  readonly roundLength = ROUND_LENGTH
  readonly lptAddresses = []
  block = HEAD
  error: ApiError | undefined
  #held = new HeldFacts(new Names())
  #each = 0
  #deployment = ''

  constructor() {
    this.load(1)
  }

  /** The index of another subgraph, of the same chain. */
  load(each: number): void {
    this.#held = new HeldFacts(new Names())
    this.#held.addFinal(rounds(1, 19, each), MARK)
    this.#deployment = `of ${each}`
    this.reorganise(each)
  }

  /** Other blocks in place of those that are not final. */
  reorganise(each: number): void {
    this.#held.replaceTail(rounds(20, 22, each))
    this.#each = each
  }

  get #read(): Facts {
    const { block } = this
    const about = { timestamp: NOW, deployment: this.#deployment, hasIndexingErrors: false }
    const totals = { nextRoundTotalActiveStake: 1n, totalStake: 2n, roundsManager: null, ownBlocksEndPolls: false }
    return this.#held.asOf({ block, blockHash: hash(block + 1000 * this.#each), ...about }, { ...totals, l1: null })
  }

  get facts(): Facts {
    if (this.error !== undefined) throw this.error
    return this.#read
  }

  factsAt = async () => this.facts
  roundAt = async ({ currentRound }: Facts) => currentRound

  get state() {
    return {
      ...FOLLOWED_WELL,
      ...{ head: this.#read.head, firstRound: 1, currentRound: 22, isL1: false, error: this.error ?? null },
      chainHead: { block: this.block, timestamp: NOW, synced: true },
    }
  }
}

interface Question {
  query: string
  operationName?: string
  variables?: object
}

const FIELDS = 'account round votes delegate isTranscoder isActive stake bondedAmount delegatedStake checkpointed'
const SNAPSHOT = `query ($round: Int!, $first: Int = 60) {
  stakeSnapshot(round: $round) { totalStake holders(first: $first) { totalCount nodes { ${FIELDS} } } } }`
const TWO = `query Fifth { stakeSnapshot(round: 5) { holders(first: 60) { nodes { ${FIELDS} } } } }
  query Sixth { stakeSnapshot(round: 6) { holders(first: 60) { nodes { ${FIELDS} } } } }`
const ACCOUNTS = Array.from({ length: HOLDERS }, (_, index) => account(index))
const POWERS = `query ($accounts: [Address!]!) { votingPowers(accounts: $accounts, round: 5) { ${FIELDS} } }`

/** What one could be taken for another of. */
const QUESTIONS: Question[] = [
  { query: SNAPSHOT, variables: { round: 5 } },
  { query: SNAPSHOT, variables: { round: 6 } },
  { query: SNAPSHOT, variables: { round: 5, first: 55 } },
  // Settled, final only, and about now.
  { query: SNAPSHOT, variables: { round: 18 } },
  { query: SNAPSHOT, variables: { round: 21 } },
  { query: POWERS.replace('round: 5', 'round: 21'), variables: { accounts: ACCOUNTS } },
  { query: SNAPSHOT, variables: { round: 23 } },
  { query: TWO, operationName: 'Fifth' },
  { query: TWO, operationName: 'Sixth' },
  { query: POWERS, variables: { accounts: ACCOUNTS } },
  { query: POWERS, variables: { accounts: ACCOUNTS.toReversed() } },
  { query: SNAPSHOT.replace('totalCount', 'totalCount pageInfo { endCursor }'), variables: { round: 5 } },
  { query: SNAPSHOT.replace('{', '{ status { block }'), variables: { round: 5 } },
  { query: SNAPSHOT.replace('account ', 'account missing: nothing '), variables: { round: 5 } },
]

let chain: ToldChain
let server: ApiServer

beforeEach(async () => {
  chain = new ToldChain()
  server = await serveFacts([chain])
})
afterEach(() => server.close())

async function ask(url: string, question: Question) {
  const body = JSON.stringify(question)
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  })
  const { headers } = response
  return {
    status: response.status,
    text: await response.text(),
    told: [headers.get('cache-control'), headers.get('chain-status'), headers.get('content-type')],
  }
}

/** Every answer is that of a server that was asked nothing before, nor then in the same order. */
async function expectAllAsIfNew(): Promise<void> {
  const got: unknown[] = []
  for (const question of QUESTIONS) got.push(await ask(server.url, question))
  const other = await serveFacts([chain])
  const expected: unknown[] = []
  for (const question of QUESTIONS.toReversed()) expected.push(await ask(other.url, question))
  await other.close()
  expect(got).toEqual(expected.reverse())
}

test('everybody gets the answer to their own question, as of the head of now', async () => {
  await expectAllAsIfNew()
  await expectAllAsIfNew()
  chain.block += 3
  await expectAllAsIfNew()
})

test('what is settled is worked out once, whatever the head', async () => {
  const settled = { query: POWERS, variables: { accounts: ACCOUNTS } }
  const live = { query: POWERS.replace('round: 5', 'round: 21'), variables: { accounts: ACCOUNTS } }
  const first = await ask(server.url, settled)
  await ask(server.url, live)
  chain.block += 1
  const read = vi.spyOn(StakeFacts.prototype, 'at')
  try {
    const again = await ask(server.url, settled)
    expect(read).not.toHaveBeenCalled()
    const moved = (text: string | null) =>
      text?.replace(/(block"?[:=])225/g, '$1226').replaceAll(hash(1225), hash(1226)) ?? null
    expect(again).toEqual({ ...first, text: moved(first.text), told: first.told.map(moved) })
    expect(again).not.toEqual(first)
    await ask(server.url, live)
    expect(read).toHaveBeenCalled()
  } finally {
    read.mockRestore()
  }
})

test('what a reorganisation may undo is told anew', async () => {
  await expectAllAsIfNew()
  const question = { query: SNAPSHOT, variables: { round: 23 } }
  const before = await ask(server.url, question)
  chain.reorganise(7)
  await expectAllAsIfNew()
  expect((await ask(server.url, question)).text).not.toEqual(before.text)
})

test('what another index tells is told anew', async () => {
  await expectAllAsIfNew()
  chain.load(3)
  await expectAllAsIfNew()
})

test('nothing is told of a chain that cannot be read', async () => {
  const question = { query: SNAPSHOT, variables: { round: 5 } }
  expect((await ask(server.url, question)).text).toMatch(/^\{"data":/)
  chain.error = new ApiError('UPSTREAM_UNAVAILABLE', 'not now')
  expect((await ask(server.url, question)).text).toContain('UPSTREAM_UNAVAILABLE')
  await expectAllAsIfNew()
})
