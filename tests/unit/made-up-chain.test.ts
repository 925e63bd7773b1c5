import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Abi, decodeEventLog, type Hex } from 'viem'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readTrace, type Trace } from '../../stack/trace.ts'
import { type ChainSize, REAL_SIZE } from '../bench/chain-size.ts'
import { writeMadeUpChain } from '../bench/made-up-chain.ts'
import type { MadeUpTruth } from '../bench/made-up-truth.ts'

const SIZE: ChainSize = {
  ...REAL_SIZE,
  accounts: 80,
  transcoders: 20,
  rounds: 20,
  stakeTransactions: 40,
  proposals: 6,
  votesPerProposal: 30,
  polls: 3,
  votesPerPoll: 20,
  sampledRounds: 10,
  sampledAccounts: 10,
}

interface Happening {
  block: number
  transaction: string
  name: string
  /** Addresses in lower case. */
  args: Record<string, string | bigint | number>
}

let dir: string
let file: string
let trace: Trace
let truth: MadeUpTruth
let happenings: Happening[]

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'made-up-chain-'))
  file = join(dir, 'trace.jsonl.gz')
  truth = await writeMadeUpChain(file, SIZE)
  trace = await readTrace(file)
  happenings = [...decoded(trace)]
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

describe('a made-up chain', () => {
  test('is the same for the same seed only', async () => {
    const again = join(dir, 'again.jsonl.gz')
    expect(await writeMadeUpChain(again, SIZE)).toEqual(truth)
    expect(digest(again)).toBe(digest(file))
    await writeMadeUpChain(again, { ...SIZE, seed: 2 })
    expect(digest(again)).not.toBe(digest(file))
  })

  test('has rounds by its own blocks, most of them begun', () => {
    expect(trace.header.roundLength).toBe(SIZE.roundLength)
    expect(trace.lastBlock).toBe(truth.lastBlock)
    const begun = of('NewRound').map(({ block, args }) => [Number(args.round), block] as const)
    for (const [round, block] of begun) expect(Math.floor(block / SIZE.roundLength)).toBe(round)
    expect(begun.length).toBeGreaterThan(SIZE.rounds * 0.8)
    expect(begun.at(-1)?.[0]).toBe(truth.lastRound)
  })

  test('counts its events', () => {
    const counts: Record<string, number> = {}
    for (const { name } of happenings) counts[name] = (counts[name] ?? 0) + 1
    const told = Object.entries(truth.events).map(([name, count]) => [name.slice(name.indexOf('.') + 1), count])
    expect(counts).toEqual(Object.fromEntries(told))
  })

  test('has everything that can happen to stake and proposals', () => {
    const wanted = ['Bond', 'Unbond', 'Rebond', 'TransferBond', 'WithdrawStake', 'EarningsClaimed', 'TranscoderUpdate']
    const rare = ['TranscoderActivated', 'TranscoderDeactivated', 'VoteCastWithParams', 'QuorumNumeratorUpdated']
    for (const name of [...wanted, ...rare]) expect(of(name).length, name).toBeGreaterThan(1)
    const states = new Set(truth.proposals.map(({ state }) => state))
    for (const state of ['EXECUTED', 'DEFEATED', 'ACTIVE', 'PENDING']) expect(states).toContain(state)
  })

  test('about seven of ten active transcoders reward in a round, each once and with its treasury reward', () => {
    let active = 0
    let current = new Set<string>()
    const pool = new Set<string>()
    const rewarded = new Set<string>()
    for (const [index, { name, args }] of happenings.entries()) {
      if (name === 'NewRound') {
        current = new Set(pool)
        active += current.size
        rewarded.clear()
      }
      if (name === 'TranscoderActivated') pool.add(String(args.transcoder))
      if (name === 'TranscoderDeactivated') pool.delete(String(args.transcoder))
      if (name !== 'Reward') continue
      const transcoder = String(args.transcoder)
      expect(current).toContain(transcoder)
      expect(rewarded).not.toContain(transcoder)
      rewarded.add(transcoder)
      const before = happenings
        .slice(0, index)
        .filter(({ transaction }) => transaction === happenings[index]?.transaction)
      expect(before.map((happening) => happening.name).slice(0, 2)).toEqual(['Transfer', 'TreasuryReward'])
      expect(before[0]?.args.value).toBe(before[1]?.args.amount)
    }
    const share = of('Reward').length / active
    expect(share).toBeGreaterThan(0.6)
    expect(share).toBeLessThan(0.8)
  })

  test('each checkpoint goes on from the one before', () => {
    const known = new Map<string, unknown[]>()
    const follow = (key: string, before: unknown[], after: unknown[]) => {
      expect(known.get(key) ?? before, key).toEqual(before)
      expect(after, key).not.toEqual(before)
      known.set(key, after)
    }
    for (const { name, args } of happenings) {
      if (name === 'DelegateChanged') follow(`${name} ${args.delegator}`, [args.fromDelegate], [args.toDelegate])
      if (name === 'DelegateVotesChanged') follow(`${name} ${args.delegate}`, [args.previousBalance], [args.newBalance])
      if (name === 'DelegatorBondedAmountChanged') {
        const before = [args.previousBondedAmount, args.previousLastClaimRound]
        follow(`${name} ${args.delegate}`, before, [args.newBondedAmount, args.newLastClaimRound])
      }
    }
    expect(known.size).toBeGreaterThan(SIZE.accounts)
  })

  test('everybody claims once a round at most, from where it claimed last', () => {
    const claimed = new Map<unknown, number>()
    for (const { args } of of('EarningsClaimed')) {
      expect(Number(args.startRound)).toBe((claimed.get(args.delegator) ?? 0) + 1)
      expect(Number(args.endRound)).toBeGreaterThanOrEqual(Number(args.startRound))
      claimed.set(args.delegator, Number(args.endRound))
    }
    expect(claimed.size).toBeGreaterThan(SIZE.accounts * 0.9)
  })

  test('no stake comes from nowhere: what events move adds up to the totals at every sampled round', () => {
    const delegated = new Map<string, bigint>()
    const pool = new Set<string>()
    const bonded = new Map<string, bigint>()
    const add = (map: Map<string, bigint>, key: unknown, amount: bigint) =>
      map.set(String(key), (map.get(String(key)) ?? 0n) + amount)
    const expected = new Map(truth.rounds.map((sample) => [sample.round, sample]))
    for (const { name, args } of happenings) {
      const amount = BigInt(args.amount ?? 0)
      if (name === 'EarningsClaimed') add(bonded, args.delegator, BigInt(args.rewards ?? 0))
      if (name === 'Reward') add(delegated, args.transcoder, amount)
      if (name === 'Unbond') {
        add(delegated, args.delegate, -amount)
        add(bonded, args.delegator, -amount)
      }
      if (name === 'Rebond') {
        add(delegated, args.delegate, amount)
        add(bonded, args.delegator, amount)
      }
      if (name === 'Bond') {
        const additional = BigInt(args.additionalAmount ?? 0)
        const moved = args.oldDelegate === args.newDelegate ? 0n : BigInt(bonded.get(String(args.delegator)) ?? 0n)
        add(delegated, args.oldDelegate, -moved)
        add(delegated, args.newDelegate, moved + additional)
        add(bonded, args.delegator, additional)
        expect(bonded.get(String(args.delegator))).toBe(args.bondedAmount)
      }
      if (name === 'TranscoderActivated') pool.add(String(args.transcoder))
      if (name === 'TranscoderDeactivated') pool.delete(String(args.transcoder))
      const sample = name === 'NewRound' ? expected.get(Number(args.round)) : undefined
      if (sample === undefined) continue
      const sum = (amounts: Iterable<bigint>) => String([...amounts].reduce((total, one) => total + one, 0n))
      expect(sum(delegated.values())).toBe(sample.totalStake)
      expect(sum([...pool].map((member) => delegated.get(member) ?? 0n))).toBe(sample.totalActiveStake)
      for (const { account, bondedAmount, delegatedStake } of sample.powers) {
        expect(String(bonded.get(account) ?? 0n)).toBe(bondedAmount)
        expect(String(delegated.get(account) ?? 0n)).toBe(delegatedStake)
      }
    }
  })

  test('every lock is opened once and closed at most once, with the same amount and not before its time', () => {
    const open = new Map<string, { amount: unknown; withdrawRound: number }>()
    let round = 0
    const close = (owner: unknown, id: unknown, amount: unknown) => {
      const lock = open.get(`${owner} ${id}`)
      expect(lock?.amount).toBe(amount)
      open.delete(`${owner} ${id}`)
      return lock
    }
    for (const { name, args } of happenings) {
      if (name === 'NewRound') round = Number(args.round)
      if (name === 'Unbond') {
        expect(open.has(`${args.delegator} ${args.unbondingLockId}`)).toBe(false)
        open.set(`${args.delegator} ${args.unbondingLockId}`, {
          amount: args.amount,
          withdrawRound: Number(args.withdrawRound),
        })
      }
      if (name === 'TransferBond') {
        const lock = close(args.oldDelegator, args.oldUnbondingLockId, args.amount)
        if (lock !== undefined) open.set(`${args.newDelegator} ${args.newUnbondingLockId}`, lock)
      }
      if (name === 'Rebond') close(args.delegator, args.unbondingLockId, args.amount)
      if (name !== 'WithdrawStake') continue
      expect(close(args.delegator, args.unbondingLockId, args.amount)?.withdrawRound).toBeLessThanOrEqual(round)
    }
  })

  test('a voter votes once on a proposal and only while it is open; counted weights are what was cast, less overrides', () => {
    const cast = [...of('VoteCast'), ...of('VoteCastWithParams')]
    expect(new Set(cast.map(({ args }) => `${args.voter} ${args.proposalId}`)).size).toBe(cast.length)
    const rounds = new Map(of('ProposalCreated').map(({ args }) => [args.proposalId, [args.voteStart, args.voteEnd]]))
    for (const { block, args } of cast) {
      const [start = 0, end = 0] = rounds.get(args.proposalId ?? 0) ?? []
      expect(Math.floor(block / SIZE.roundLength)).toBeGreaterThan(Number(start))
      expect(Math.floor(block / SIZE.roundLength)).toBeLessThanOrEqual(Number(end))
    }
    let overridden = 0
    for (const proposal of truth.proposals) {
      const id = proposal.id.replace('treasury:', '')
      const weights = cast
        .filter(({ args }) => String(args.proposalId) === id)
        .map(({ args }) => BigInt(args.weight ?? 0))
      const raw = weights.reduce((sum, weight) => sum + weight, 0n)
      const counted = BigInt(proposal.for) + BigInt(proposal.against) + BigInt(proposal.abstain)
      if (!proposal.id.startsWith('treasury:')) continue
      expect(counted).toBeLessThanOrEqual(raw)
      if (counted < raw) overridden++
    }
    expect(overridden).toBeGreaterThan(0)
  })
})

function of(name: string): Happening[] {
  return happenings.filter((happening) => happening.name === name)
}

function* decoded(chain: Trace): Generator<Happening> {
  const names = new Map(Object.entries(chain.header.contracts).map(([name, address]) => [address, name]))
  const abis = new Map<string, Abi>()
  for (const { number, logs } of chain.blocksWithLogs(0, chain.lastBlock)) {
    for (const { address, topics, data, transactionHash } of logs) {
      const contract = names.get(address) ?? 'Poll'
      const abi = abis.get(contract) ?? abiOf(contract)
      abis.set(contract, abi)
      const event = decodeEventLog({ abi, topics: topics as [Hex, ...Hex[]], data: data as Hex })
      const values = Object.entries(event.args as unknown as Happening['args'])
      const args = Object.fromEntries(
        values.map(([key, value]) => [key, typeof value === 'string' ? value.toLowerCase() : value]),
      )
      yield { block: number, transaction: transactionHash, name: event.eventName ?? '', args }
    }
  }
}

function abiOf(contract: string): Abi {
  return JSON.parse(readFileSync(new URL(`../../subgraph/abis/${contract}.json`, import.meta.url), 'utf8')) as Abi
}

function digest(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex')
}
