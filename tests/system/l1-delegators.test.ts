import { rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { toEventSelector, toHex } from 'viem'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { RecordedChain, readRecordedCalls, respond } from '../../stack/recorded-chain.ts'
import { type Stack, startStack } from '../../stack/stack.ts'
import { readTrace, type Trace } from '../../stack/trace.ts'
import { POLLS, type Sent, writeTraceWithPolls } from './l1-polls.ts'
import { readTruth, traceFile } from './livepeer-truth.ts'
import { serve } from './serve.ts'
import { makeFolder } from './stack-command.ts'

interface AccountTruth {
  bondedAmount: string
  delegate: string
  delegatedAmount: string
  pendingStake: string | null
}
interface Truth {
  meta: { accounts: string[]; lastBlock: number; lastRound: number }
  rounds: RoundTruth[]
  final: Pick<RoundTruth, 'accounts' | 'transcoders'>
}
interface RoundTruth {
  round: number
  block: number
  version: string
  shared: boolean
  accounts: Record<string, AccountTruth>
  transcoders: Record<string, { registered: boolean; active: boolean; totalStake: string }>
}
interface Power {
  account: string
  votes: string
  stake: string
  bondedAmount: string
  delegate: string | null
  isTranscoder: boolean
  delegatedStake: string
  source: string
}
interface Answer {
  data?: { votingPowers?: Power[] | null; votingPower?: Partial<Power> | null } | null
  errors?: { message: string; path: (string | number)[]; extensions: { code: string } }[]
  extensions?: { cost: number }
}
interface Call {
  id: number
  method: string
  params: [{ to: string; data: string }, unknown]
}

const FIELDS = 'account votes stake bondedAmount delegate isTranscoder delegatedStake source'
const GET_DELEGATOR = '0xa64ad595'
const PENDING_STAKE = '0x9d0b2c7a'
const STAKING = new Set(
  [
    'Bond(address,address,address,uint256,uint256)',
    'Unbond(address,address,uint256,uint256,uint256)',
    'Rebond(address,address,uint256,uint256)',
    'Reward(address,uint256)',
    'EarningsClaimed(address,address,uint256,uint256,uint256,uint256)',
  ].map((event): string => toEventSelector(event)),
)
const ZERO_ADDRESS = `0x${'0'.repeat(40)}`

const truth = readTruth<Truth>('livepeer-l1/small')

const folder = makeFolder()
/** Everybody votes, some chose again, and what is no choice neither counts nor replaces one. */
const SENT: Sent = [
  ...truth.meta.accounts.map((voter, index) => ({
    block: 688,
    voter,
    choice: index === 2 ? 9 : index % 3 === 0 ? 1 : 0,
  })),
  { block: 699, voter: at(1), choice: 1 },
  { block: 699, voter: at(3), choice: 7 },
  { block: 803, voter: at(4), choice: 1 },
]

function at(index: number): string {
  return truth.meta.accounts[index] ?? ''
}

/** What a node does with a request: answers a text, or with an HTTP status. */
type Node = (body: string) => string | number | Promise<string | number>

let stack: Stack
let trace: Trace
let recorded: Node
let server: Server
let node: Node
/** The calls that were made, and how many requests they came in. */
let asked: Call[] = []
let requests = 0
let atOnce = 0
let mostAtOnce = 0

beforeAll(async () => {
  // Polls change nothing of stake.
  const file = writeTraceWithPolls(folder, SENT)
  trace = await readTrace(file)
  const chain = new RecordedChain(trace, await readRecordedCalls(file))
  recorded = (body) => respond(chain, body)
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
    const body = Buffer.concat(chunks).toString()
    const calls = JSON.parse(body) as Call | Call[]
    asked.push(...(Array.isArray(calls) ? calls : [calls]))
    requests += 1
    atOnce += 1
    mostAtOnce = Math.max(mostAtOnce, atOnce)
    const answer = await node(body)
    atOnce -= 1
    if (typeof answer === 'number') response.writeHead(answer).end('busy')
    else response.setHeader('content-type', 'application/json').end(answer)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  stack = await startStack({ traces: [file, traceFile('livepeer/small')] })
  await stack.ready
})
afterAll(async () => {
  server?.close()
  await stack?.stop()
  rmSync(folder, { recursive: true })
})
afterEach(() => {
  asked = []
  requests = 0
  mostAtOnce = 0
})

/** What an API tells that asks a node of its own, which nobody has asked before. */
async function withNode<Result>(asks: Node, use: (ask: (query: string) => Promise<Answer>) => Promise<Result>) {
  node = asks
  const rpcUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const api = await serve(stack.chains.map((chain) => ({ ...chain, rpcUrl })))
  try {
    return await use(async (query) => {
      const response = await fetch(`${api.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query }),
      })
      return (await response.json()) as Answer
    })
  } finally {
    await api.close()
  }
}

const powers = (accounts: readonly string[], moment: string, fields = FIELDS) =>
  `{ votingPowers(accounts: ${JSON.stringify(accounts)}, ${moment}, network: "recorded") { ${fields} } }`
const power = (account: string, moment: string, fields = FIELDS) =>
  `{ votingPower(account: "${account}", ${moment}, network: "recorded") { ${fields} } }`

/** What the contracts said of an account, by the rule of BondingVotes. */
function expected(account: string, { accounts, transcoders }: Pick<RoundTruth, 'accounts' | 'transcoders'>): Power {
  const told = accounts[account]
  if (told === undefined) throw new Error(`nothing told of ${account}`)
  const { bondedAmount, delegate, delegatedAmount, pendingStake } = told
  const isRegistered = (address: string) => transcoders[address]?.registered === true
  const stake = pendingStake ?? bondedAmount
  const isTranscoder = isRegistered(account)
  return {
    account,
    votes: isTranscoder ? delegatedAmount : isRegistered(delegate) ? stake : '0',
    stake,
    bondedAmount,
    delegate: delegate === ZERO_ADDRESS ? null : delegate,
    isTranscoder,
    delegatedStake: delegatedAmount,
    source: 'CONTRACT',
  }
}

/** A delegator with rewards pending, and a transcoder, at the start of a round. */
function chosen(): { round: number; delegator: Power; transcoder: Power } {
  for (const entry of truth.rounds.filter(({ shared }) => !shared).reverse()) {
    const all = truth.meta.accounts.map((account) => expected(account, entry))
    const delegator = all.find(({ account, delegate, stake, bondedAmount, votes }) => {
      return delegate !== null && delegate !== account && stake !== bondedAmount && votes === stake
    })
    const transcoder = all.find(({ isTranscoder }) => isTranscoder)
    if (delegator && transcoder) return { round: entry.round, delegator, transcoder }
  }
  throw new Error('no delegator with rewards')
}

/** A delegator that had claimed in the round already. */
function claimed(accounts: RoundTruth['accounts']): string | undefined {
  const isClaimed = (account: string) =>
    accounts[account]?.pendingStake === null && accounts[account].delegate !== account
  return Object.keys(accounts).find((account) => isClaimed(account) && accounts[account]?.bondedAmount !== '0')
}

/** Accounts that staking events of a block name. */
function accountsIn(block: number): Set<string> {
  const logs = trace.block(block)?.logs.filter(({ topics: [event = ''] }) => STAKING.has(event)) ?? []
  return new Set(logs.flatMap(({ topics }) => topics.slice(1).map((topic) => `0x${topic.slice(26)}`)))
}

/** Where nothing is bonded events tell so, unless the end of a bond was not certain: then the contract did. */
function withoutSource(power: Power): Power {
  return power.delegate === null ? { ...power, source: 'CONTRACT' } : power
}

/** A node that answers each call as another one does, or otherwise. */
function calls(change: (call: Call, answer: object) => object): Node {
  return async (body) => {
    const asked = JSON.parse(body) as Call[]
    const answers = JSON.parse(String(await recorded(body))) as object[]
    return JSON.stringify(asked.map((call, index) => change(call, answers[index] ?? {})))
  }
}
const error = (code: number, message: string) => calls(({ id }) => ({ jsonrpc: '2.0', id, error: { code, message } }))
const result = (text: string) => calls(({ id }) => ({ jsonrpc: '2.0', id, result: text }))
/** Answers one function's calls otherwise. */
const altered = (selector: string, alter: (answer: string) => string) =>
  calls(({ params: [{ data }] }, answer) => {
    const { result: told } = answer as { result?: string }
    return data.startsWith(selector) && told !== undefined ? { ...answer, result: alter(told) } : answer
  })

describe('what events of Ethereum L1 do not tell, where an archive node is asked', () => {
  test('everybody at the start of every round equals the contracts', async () => {
    const { accounts } = truth.meta
    const quiet = truth.rounds.filter(({ shared }) => !shared)
    await withNode(recorded, async (ask) => {
      for (const entry of quiet) {
        const { data, errors } = await ask(powers(accounts, `round: ${entry.round}`))
        expect([entry.round, errors]).toEqual([entry.round, undefined])
        const told = data?.votingPowers?.map(withoutSource)
        expect([entry.round, told]).toEqual([entry.round, accounts.map((one) => expected(one, entry))])
      }
      expect(quiet.length * accounts.length).toBeGreaterThan(200)
    })
  })

  test('and at the end of the block of every NewRound, and of the last block', async () => {
    const { accounts, lastBlock } = truth.meta
    await withNode(recorded, async (ask) => {
      for (const entry of [...truth.rounds, { ...truth.final, block: lastBlock }]) {
        const { data, errors } = await ask(powers(accounts, `block: ${entry.block}`))
        expect([entry.block, errors]).toEqual([entry.block, undefined])
        const told = data?.votingPowers?.map(withoutSource)
        expect([entry.block, told]).toEqual([entry.block, accounts.map((one) => expected(one, entry))])
      }
    })
  })

  test('as things stand now is asked of the last block, by its hash', async () => {
    const { accounts, lastBlock, lastRound } = truth.meta
    await withNode(recorded, async (ask) => {
      const { data } = await ask(powers(accounts, `round: ${lastRound + 1}`))
      const told = data?.votingPowers?.map(withoutSource)
      expect(told).toEqual(accounts.map((one) => expected(one, truth.final)))
      const blocks = new Set(asked.map(({ params }) => JSON.stringify(params[1])))
      expect([...blocks]).toEqual([expect.stringMatching(/^{"blockHash":"0x[0-9a-f]{64}"}$/)])
      expect(lastBlock).toBeGreaterThan(0)
    })
  })

  test('stake that changed in the block of NewRound after it is asked at the block before, up to the round before', async () => {
    await withNode(recorded, async (ask) => {
      let before = 0
      for (const [index, entry] of truth.rounds.entries()) {
        const { round, block, shared, accounts } = entry
        if (!shared) continue
        const touched = accountsIn(block)
        for (const [account, { delegate }] of Object.entries(accounts)) {
          asked = []
          await ask(power(account, `round: ${round}`, 'stake'))
          const call = asked.find(({ params: [{ data }] }) => data.startsWith(PENDING_STAKE))
          if (call === undefined) continue
          const [{ data }, at] = call.params
          const isChanged = touched.has(account) || touched.has(delegate)
          const upTo = isChanged ? truth.rounds[index - 1]?.round : round
          expect([account, round, Number(`0x${data.slice(74)}`)]).toEqual([account, round, upTo])
          // A block that is not final is named by its hash, where that is known.
          if (isChanged) expect([account, at]).toEqual([account, toHex(block - 1)])
          before += isChanged ? 1 : 0
        }
      }
      expect(before).toBeGreaterThan(5)
    })
  })

  test('one wei in an answer is told', async () => {
    const { round, delegator } = chosen()
    const oneMore = (answer: string) => `0x${(BigInt(answer) + 1n).toString(16).padStart(64, '0')}`
    await withNode(altered(PENDING_STAKE, oneMore), async (ask) => {
      const { data } = await ask(power(delegator.account, `round: ${round}`, 'stake'))
      expect(data?.votingPower?.stake).toBe(String(BigInt(delegator.stake) + 1n))
    })
  })

  test('what was claimed in the round is what is bonded, also as the contract of the launch lists it', async () => {
    const entry = truth.rounds.find(({ accounts }) => claimed(accounts) !== undefined)
    const account = claimed(entry?.accounts ?? {})
    if (entry === undefined || account === undefined) throw new Error('nobody claimed')
    const lastClaimRound = (answer: string) => answer.slice(0, 2 + 5 * 64).concat('0'.repeat(64))
    const asLaunch = altered(GET_DELEGATOR, (answer) => lastClaimRound(answer) + answer.slice(2 + 5 * 64, 2 + 6 * 64))
    const asNeither = altered(GET_DELEGATOR, (answer) => lastClaimRound(answer) + '0'.repeat(64))
    const query = power(account, `block: ${entry.block}`, 'stake')
    const { bondedAmount: stake } = expected(account, entry)
    for (const [asks, votingPower] of [
      [recorded, { stake }],
      [asLaunch, { stake }],
      [asNeither, null],
    ] as const)
      await withNode(asks, async (ask) => expect((await ask(query)).data).toEqual({ votingPower }))
  })

  test('what is final is asked once, and a stranger never', async () => {
    const { round, delegator } = chosen()
    await withNode(recorded, async (ask) => {
      const { data: first } = await ask(power(delegator.account, `round: ${round}`))
      const calls = asked.length
      expect(calls).toBe(2)
      const { data: again } = await ask(power(delegator.account.toUpperCase().replace('0X', '0x'), `round: ${round}`))
      expect(again).toEqual(first)
      const { data } = await ask(power(`0x${'12'.repeat(20)}`, `round: ${round}`, 'stake votes source'))
      expect(data).toEqual({ votingPower: { stake: '0', votes: '0', source: 'EVENTS' } })
      expect(asked.length).toBe(calls)
    })
  })

  test('votes of a transcoder need no call, and neither does anybody on Arbitrum', async () => {
    const { round, transcoder } = chosen()
    const arbitrum = readTruth<{ meta: { accounts: string[]; initializedRounds: number[] } }>('livepeer/small').meta
    await withNode(recorded, async (ask) => {
      const { data } = await ask(power(transcoder.account, `round: ${round}`, 'votes delegatedStake'))
      const { votes, delegatedStake } = transcoder
      expect(data).toEqual({ votingPower: { votes, delegatedStake } })
      const of = `accounts: ${JSON.stringify(arbitrum.accounts)}, round: ${arbitrum.initializedRounds.at(-1)}`
      const answer = await ask(`{ votingPowers(${of}) { ${FIELDS} } }`)
      expect(answer.errors).toBeUndefined()
      expect(new Set(answer.data?.votingPowers?.map(({ source }) => source))).toEqual(new Set(['EVENTS']))
      expect(asked).toEqual([])
    })
  })

  test('lists tell the same', async () => {
    const { round, delegator, transcoder } = chosen()
    await withNode(recorded, async (ask) => {
      const answer = await ask(`{
        round(number: ${round}, network: "recorded") { activeTranscoders { account stake source } }
        stakeSnapshot(round: ${round}, network: "recorded") { holders(transcodersOnly: true) { nodes { account stake source } } }
        account(address: "${delegator.delegate}") { delegators(round: ${round}, network: "recorded") { nodes { account stake source } } }
      }`)
      expect(answer.errors).toBeUndefined()
      const listed = ({ account, stake, source }: Power) => expect.arrayContaining([{ account, stake, source }])
      expect(answer.data).toMatchObject({
        round: { activeTranscoders: listed(transcoder) },
        stakeSnapshot: { holders: { nodes: listed(transcoder) } },
        account: { delegators: { nodes: listed(delegator) } },
      })
    })
  })

  test('files and scores have it too', async () => {
    const { round, delegator, transcoder } = chosen()
    node = recorded
    const rpcUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const api = await serve(stack.chains.slice(0, 1).map((chain) => ({ ...chain, rpcUrl })))
    try {
      for (const { account, stake, bondedAmount, votes } of [delegator, transcoder]) {
        const response = await fetch(`${api.url}/snapshots/${round}/power/${account}.json?network=recorded`)
        const { rows } = (await response.json()) as { rows: unknown[] }
        expect(rows).toEqual([expect.objectContaining({ account, stake, bondedAmount, votes })])
      }
      const addresses = [delegator.account, transcoder.account]
      const body = { network: '31337', snapshot: truth.meta.lastBlock, addresses, options: {} }
      const response = await fetch(`${api.url}/snapshot/scores`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
      const { score } = (await response.json()) as { score: unknown }
      expect(score).toEqual(addresses.map((address) => ({ address, score: expected(address, truth.final).votes })))
    } finally {
      await api.close()
    }
  })
})

describe('an RPC that does not tell', () => {
  const untold: [string, Node][] = [
    ['of a node that pruned the state', error(-32000, 'missing trie node 1234 (path ) state 0x5678 is not available')],
    ['of a node without the block', error(-32001, 'header not found')],
    ['that answers nothing', result('0x')],
    ['that answers one word to all', result(`0x${'0'.repeat(64)}`)],
    ['that answers a word too many', altered(GET_DELEGATOR, (answer) => `${answer}${'0'.repeat(64)}`)],
    ['that answers a word too few', altered(GET_DELEGATOR, (answer) => answer.slice(0, -64))],
    ['that answers half a word', altered(PENDING_STAKE, (answer) => answer.slice(0, 34))],
    ['that answers two stakes', altered(PENDING_STAKE, (answer) => `${answer}${'1'.repeat(64)}`)],
    ['that answers no text', calls(({ id }) => ({ jsonrpc: '2.0', id, result: 7 }))],
    ['that answers null', calls(({ id }) => ({ jsonrpc: '2.0', id, result: null }))],
    [
      'of another state',
      altered(GET_DELEGATOR, (answer) => answer.replace(/^(0x.{192}).{64}/, `$1${'0'.repeat(63)}1`)),
    ],
    ['that reverts', error(3, 'execution reverted')],
    ['that answers a page', () => '<html>'],
    ['that answers an object', () => '{}'],
  ]

  test.each(untold)('%s is as none: a delegator is refused, of a transcoder only its own stake', async (_, asks) => {
    const { round, delegator, transcoder } = chosen()
    await withNode(asks, async (ask) => {
      const refused = await ask(power(delegator.account, `round: ${round}`))
      expect(refused.data).toEqual({ votingPower: null })
      expect(refused.errors).toMatchObject([{ path: ['votingPower'], extensions: { code: 'NOT_EXACT' } }])
      expect(refused.errors?.[0]?.message).toContain('archive')
      const calls = asked.length
      expect((await ask(power(delegator.account, `round: ${round}`))).errors).toEqual(refused.errors)
      expect(asked.length).toBe(calls)
      const partly = await ask(power(transcoder.account, `round: ${round}`, 'votes stake bondedAmount source'))
      const { votes } = transcoder
      expect(partly.data).toEqual({ votingPower: { votes, stake: null, bondedAmount: null, source: 'EVENTS' } })
      expect(partly.errors?.map(({ path, extensions: { code } }) => [path, code])).toEqual([
        [['votingPower', 'stake'], 'NOT_EXACT'],
        [['votingPower', 'bondedAmount'], 'NOT_EXACT'],
      ])
    })
  })

  test('and without one the same is refused', async () => {
    const { round, delegator, transcoder } = chosen()
    const api = await serve(stack.chains)
    const ask = async (query: string) =>
      (await (await fetch(`${api.url}/graphql?query=${encodeURIComponent(query)}`)).json()) as Answer
    try {
      const refused = await ask(power(delegator.account, `round: ${round}`))
      expect(refused.errors).toMatchObject([{ path: ['votingPower'], extensions: { code: 'NOT_EXACT' } }])
      expect(refused.errors?.[0]?.message).toContain('archive RPC')
      const partly = await ask(power(transcoder.account, `round: ${round}`, 'votes stake source'))
      expect(partly.data).toEqual({ votingPower: { votes: transcoder.votes, stake: null, source: 'EVENTS' } })
      expect(partly.errors).toMatchObject([{ path: ['votingPower', 'stake'], extensions: { code: 'NOT_EXACT' } }])
    } finally {
      await api.close()
    }
  })

  test('now is asked again, and what it tells then is kept', async () => {
    const { round, delegator } = chosen()
    let busy = 1
    const asks: Node = (body) => (busy-- > 0 ? 429 : recorded(body))
    await withNode(asks, async (ask) => {
      const { data } = await ask(power(delegator.account, `round: ${round}`))
      expect(data?.votingPower).toEqual(delegator)
      // Two calls in one request, and both once more, in one or two.
      expect(asked.length).toBe(4)
      await ask(power(delegator.account, `round: ${round}`))
      expect(asked.length).toBe(4)
    })
  })

  test.each<[string, Node]>([
    ['429', () => 429],
    ['502', () => 502],
    ['the limit of its plan', error(-32005, 'limit exceeded')],
  ])('for long: %s fails that part alone, and the next request asks anew', async (_, asks) => {
    const { round, delegator, transcoder } = chosen()
    let isBack = false
    await withNode(
      (body) => (isBack ? recorded(body) : asks(body)),
      async (ask) => {
        const both = `{ delegator: ${power(delegator.account, `round: ${round}`).slice(1, -1)}
        transcoder: ${power(transcoder.account, `round: ${round}`, 'votes').slice(1, -1)} }`
        const { data, errors } = await ask(both)
        expect(data).toEqual({ delegator: null, transcoder: { votes: transcoder.votes } })
        expect(errors).toMatchObject([{ path: ['delegator'], extensions: { code: 'UPSTREAM_UNAVAILABLE' } }])
        isBack = true
        expect((await ask(power(delegator.account, `round: ${round}`))).data?.votingPower).toEqual(delegator)
      },
    )
  })

  test('a thousand accounts come in batches, few at a time', async () => {
    const { accounts } = truth.meta
    const slow: Node = async (body) => {
      await new Promise((resolve) => setTimeout(resolve, 50))
      return recorded(body)
    }
    await withNode(slow, async (ask) => {
      const rounds = truth.rounds.filter(({ shared }) => !shared).map(({ round }) => round)
      const many = rounds.map((round) => `r${round}: ${powers(accounts, `round: ${round}`).slice(1, -1)}`)
      const { errors, extensions } = await ask(`{ ${many.join(' ')} }`)
      expect(errors).toBeUndefined()
      expect(asked.length).toBeGreaterThan(200)
      expect(requests).toBeLessThan(asked.length / 20)
      expect(mostAtOnce).toBeLessThanOrEqual(4)
      expect(extensions?.cost).toBe(rounds.length * accounts.length * (20 + 1 + FIELDS.split(' ').length))
    })
  })
})

describe('polls of Ethereum L1', () => {
  const moments = [
    { ...POLLS.ended, told: truth.rounds.find(({ block }) => block === POLLS.ended.endBlock), isOpen: false },
    { ...POLLS.open, told: truth.final, isOpen: true },
  ]
  const FIELDS_OF_POLL = `state votes(first: 1000) { nodes { voter choice weight countedWeight overrides } }
    tally { for against electorate quorum final } outcome { passed quorumReached supportReached }
    ... on Poll { endBlock invalidVotes { voter rawChoice } } turnout { voters cast }`
  const pollOf = (address: string, fields: string) => `{ proposal(id: "poll:${address}") { ${fields} } }`

  /** LIP-16's rule over what the contracts told, written anew. */
  function counted(entry: Pick<RoundTruth, 'accounts' | 'transcoders'>) {
    const last = new Map(SENT.filter(({ choice }) => choice <= 1).map(({ voter, choice }) => [voter, choice]))
    const powers = [...last.keys()].map((voter) => expected(voter, entry))
    const votes = powers.map(({ account, isTranscoder, delegatedStake, stake, delegate }) => {
      const taken = powers.filter((other) => other.account !== account && other.delegate === account && isTranscoder)
      const weight = BigInt(isTranscoder ? delegatedStake : stake)
      const isPart = !isTranscoder && delegate !== null && entry.transcoders[delegate]?.registered === true
      return {
        voter: account,
        choice: last.get(account) === 0 ? 'FOR' : 'AGAINST',
        weight: String(weight),
        countedWeight: String(taken.reduce((rest, other) => rest - BigInt(other.stake), weight)),
        overrides: isPart && stake !== '0' ? delegate : null,
      }
    })
    const sum = (choice: string) =>
      votes.reduce((all, vote) => (vote.choice === choice ? all + BigInt(vote.countedWeight) : all), 0n)
    const all = Object.values(entry.accounts).reduce((sum, { delegatedAmount }) => sum + BigInt(delegatedAmount), 0n)
    return { votes, yes: sum('FOR'), no: sum('AGAINST'), all, quorum: (all * 333_300n + 999_999n) / 1_000_000n }
  }
  const invalid = (index: number, rawChoice: number) => ({ voter: at(index), rawChoice: String(rawChoice) })
  const byVoter = (votes: { voter: string }[]) => votes.toSorted((a, b) => (a.voter < b.voter ? -1 : 1))

  test.each(moments)(
    'the poll to block $endBlock is counted by what the contract told then',
    async ({ address, endBlock, told, isOpen }) => {
      if (told === undefined) throw new Error('no truth')
      const { votes, yes, no, all, quorum } = counted(told)
      const isPassed = yes + no >= quorum && yes > no
      await withNode(recorded, async (ask) => {
        const { data, errors } = await ask(pollOf(address, FIELDS_OF_POLL))
        expect(errors).toBeUndefined()
        const { proposal } = data as unknown as { proposal: { votes: { nodes: { voter: string }[] } } }
        expect({ ...proposal, votes: byVoter(proposal.votes.nodes) }).toEqual({
          state: isOpen ? 'ACTIVE' : isPassed ? 'SUCCEEDED' : 'DEFEATED',
          votes: byVoter(votes),
          tally: {
            for: String(yes),
            against: String(no),
            electorate: String(all),
            quorum: String(quorum),
            final: !isOpen,
          },
          outcome: { passed: isOpen ? null : isPassed, quorumReached: yes + no >= quorum, supportReached: yes > no },
          endBlock: String(endBlock),
          invalidVotes: [invalid(2, 9), invalid(3, 7)],
          turnout: { voters: votes.length, cast: String(yes + no) },
        })
        // Somebody who did not vote adds to a recount what it had.
        const changed = { voter: SENT[2]?.voter ?? '', choice: 'FOR' }
        const more = BigInt(expected(changed.voter, told).delegatedStake)
        const recount = `recount(with: { choices: [{ voter: "${changed.voter}", choice: FOR }] }) { tally { for } }`
        const { data: hypothetical } = await ask(pollOf(address, recount))
        const [delegators] = [votes.filter(({ overrides }) => overrides === changed.voter)]
        const less = delegators.reduce((sum, { weight }) => sum + BigInt(weight), 0n)
        expect(hypothetical).toEqual({ proposal: { recount: { tally: { for: String(yes + more - less) } } } })
      })
    },
  )

  test.each(moments)(
    'without an archive node the poll to block $endBlock has its votes and times, and no tally',
    async ({ address, endBlock, isOpen }) => {
      const time = (block: number) => trace.block(block)?.timestamp ?? 0
      // Between the NewRounds of rounds 20 and 21; after the last one by the length of blocks.
      const end = isOpen ? time(939) + (endBlock + 1 - 939) * 13 : time(804) + (time(840) - time(804)) / (840 - 804)
      const iso = (seconds: number) => new Date(Math.floor(seconds) * 1000).toISOString()
      const opened = { timestamp: iso(time(681)), estimated: false }
      const uncounted = pollOf(
        address,
        `id title state tally { for } outcome { passed } createdAt { block } timeline { kind timestamp estimated } turnout { cast }
       votes(first: 1000) { nodes { voter choice castAt { block } } } vote(voter: "${at(1)}") { choice weight }
       ... on Poll { endBlock proposalBytes invalidVotes { voter rawChoice } }`,
      )
      await withNode(error(-32000, 'missing trie node'), async (ask) => {
        const { data, errors } = await ask(uncounted)
        const last = new Map(SENT.filter(({ choice }) => choice <= 1).map((one) => [one.voter, one]))
        const votes = [...last.values()].map(({ voter, choice, block }) => {
          return { voter, choice: choice === 0 ? 'FOR' : 'AGAINST', castAt: { block: String(block) } }
        })
        const { proposal } = data as unknown as { proposal: { votes: { nodes: { voter: string }[] } } }
        expect({ ...proposal, votes: byVoter(proposal.votes.nodes) }).toEqual({
          ...{ id: `poll:${address}`, title: `Poll ${address}`, createdAt: { block: '681' }, proposalBytes: '0x6162' },
          ...{ state: null, tally: null, outcome: null, turnout: null, endBlock: String(endBlock) },
          timeline: [
            { kind: 'CREATED', ...opened },
            { kind: 'VOTING_OPENED', ...opened },
            { kind: 'VOTING_CLOSED', timestamp: iso(end), estimated: true },
          ],
          votes: byVoter(votes),
          vote: { choice: 'AGAINST', weight: null },
          invalidVotes: [invalid(2, 9), invalid(3, 7)],
        })
        const refused = errors?.map(({ path, extensions: { code } }) => `${path.join('.')} ${code}`).sort()
        const paths = ['outcome', 'state', 'tally', 'turnout', 'vote.weight']
        expect(refused).toEqual(paths.map((path) => `proposal.${path} NOT_EXACT`))
      })
    },
  )
})
