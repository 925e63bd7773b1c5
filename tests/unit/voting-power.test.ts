import { describe, expect, test } from 'vitest'
import { byVotes, pendingStake, type Stake, votes, votingPower } from '../../api/rules/voting-power.ts'
import { ONE, stake, startOf } from './stakes.ts'

const DELEGATOR = `0x${'d'.repeat(40)}`
const TRANSCODER = `0x${'7'.repeat(40)}`

const delegated = (fields: Partial<Stake> = {}) => stake(DELEGATOR, TRANSCODER, { bondedAmount: 1000n, ...fields })

const transcoder = delegated({
  account: TRANSCODER,
  bondedAmount: 1n,
  delegatedAmount: 5000n,
  activationRound: 3,
  deactivationRound: 2147483647,
  lastRewardRound: 9,
  cumulativeRewardFactor: (ONE * 3n) / 2n,
})

describe('votes', () => {
  test('a registered transcoder has all stake delegated to it', () => {
    expect(votes(transcoder, transcoder)).toBe(5000n)
  })

  test('a delegator has its stake with the rewards since its last claim', () => {
    expect(votes(delegated(), transcoder)).toBe(1500n)
  })

  test('both divisions round down, the factors first', () => {
    // 10^27 / 3·10^27 has 27 digits of 3, and 3 · 0.333… is one wei short of 1.
    const third = delegated({ bondedAmount: 3n, startFactor: ONE * 3n })
    expect(votes(third, { ...transcoder, cumulativeRewardFactor: ONE })).toBe(0n)
    expect(votes({ ...third, bondedAmount: 4n }, { ...transcoder, cumulativeRewardFactor: ONE })).toBe(1n)
  })

  test('an unwritten pool counts as factor one, at either end', () => {
    expect(votes(delegated({ startFactor: 0n }), transcoder)).toBe(1500n)
    expect(
      votes(delegated({ lastClaimRound: 0 }), { ...transcoder, cumulativeRewardFactor: 0n, lastRewardRound: 0 }),
    ).toBe(1000n)
  })

  test('a delegate that has not rewarded since the claim adds nothing', () => {
    expect(votes(delegated({ lastClaimRound: 10, startFactor: ONE }), transcoder)).toBe(1000n)
  })

  test.each([
    ['without a position', undefined],
    ['that bonds to somebody else', { ...transcoder, delegate: DELEGATOR }],
    ['that has nothing bonded', { ...transcoder, bondedAmount: 0n, delegate: null }],
  ])('a delegate %s gives its delegators none', (_, delegate) => {
    expect(votes(delegated(), delegate)).toBe(0n)
  })

  test('nothing bonded has none', () => {
    expect(votes(delegated({ bondedAmount: 0n, delegate: null, delegatedAmount: 7n }), undefined)).toBe(0n)
  })
})

describe('pendingStake', () => {
  test('adds rewards for a delegate that is not registered, too', () => {
    expect(pendingStake(delegated(), { ...transcoder, bondedAmount: 0n, delegate: null }, 10)).toBe(1500n)
  })

  test('adds none to what was claimed in the round', () => {
    expect(pendingStake(delegated({ lastClaimRound: 10 }), transcoder, 10)).toBe(1000n)
  })

  test("adds a transcoder's own unclaimed rewards even then", () => {
    const claimed = { ...transcoder, lastClaimRound: 10, cumulativeRewards: 30n }
    expect(pendingStake(claimed, claimed, 10)).toBe(31n)
  })

  test('without a delegate is what is bonded', () => {
    expect(pendingStake(delegated({ delegate: null, bondedAmount: 0n }), undefined, 10)).toBe(0n)
  })
})

describe('votingPower', () => {
  test('of an account never seen is zeros', () => {
    expect(votingPower(DELEGATOR, startOf(7), undefined, undefined, false)).toEqual({
      account: DELEGATOR,
      round: 7,
      block: null,
      votes: 0n,
      delegate: null,
      isTranscoder: false,
      isActive: false,
      stake: 0n,
      bondedAmount: 0n,
      delegatedStake: 0n,
      checkpointed: false,
    })
  })

  test('the zero address is a delegate for stake, and none for a reader', () => {
    const burnt = delegated({ delegate: `0x${'0'.repeat(40)}` })
    expect(votingPower(DELEGATOR, startOf(7), burnt, undefined, true)).toMatchObject({
      delegate: null,
      stake: 1000n,
      votes: 0n,
    })
  })

  test.each([
    [2, false],
    [3, true],
    [7, true],
    [8, false],
  ])('active in round %i: %s, from its activation to before its deactivation', (round, isActive) => {
    const member = { ...transcoder, activationRound: 3, deactivationRound: 8 }
    expect(votingPower(TRANSCODER, startOf(round), member, member, true).isActive).toBe(isActive)
  })
})

test('order is by votes, most first, then by address', () => {
  const power = (account: string, amount: bigint) => ({
    ...votingPower(account, startOf(1), undefined, undefined, false),
    votes: amount,
  })
  const list = [power('0xb', 1n), power('0xc', 2n), power('0xa', 1n)]
  expect(list.sort(byVotes).map(({ account }) => account)).toEqual(['0xc', '0xa', '0xb'])
})
