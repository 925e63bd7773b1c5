import { expect, test } from 'vitest'
import { pollElectorOf } from '../../api/rules/poll-tally.ts'
import { l1ToldVotingPower, l1VotingPower } from '../../api/rules/voting-power.ts'
import { stake, startOf } from './stakes.ts'

const member = stake('0xt', '0xt', { inPool: true, delegatedAmount: 500n, activationRound: 4, deactivationRound: 9 })

test('a transcoder has its total stake; what is its own is not known', () => {
  expect(l1VotingPower('0xt', startOf(5), member, false)).toEqual({
    account: '0xt',
    round: 5,
    block: null,
    votes: 500n,
    delegate: '0xt',
    isTranscoder: true,
    isActive: true,
    stake: null,
    bondedAmount: null,
    delegatedStake: 500n,
    checkpointed: false,
  })
  expect(l1VotingPower('0xt', startOf(9), member, false)?.isActive).toBe(false)
})

test('V1 knows only its pool, Streamflow whoever bonds to itself', () => {
  const outsider = stake('0xo', '0xo', { delegatedAmount: 700n })
  expect(l1VotingPower('0xo', startOf(5), outsider, false)).toBeUndefined()
  expect(l1VotingPower('0xo', startOf(5), outsider, true)).toMatchObject({
    votes: 700n,
    isTranscoder: true,
    isActive: false,
  })
})

test('a delegator is not told, even where nothing but a lower bound of 0 is left', () => {
  expect(l1VotingPower('0xd', startOf(5), stake('0xd', '0xt'), true)).toBeUndefined()
  expect(l1VotingPower('0xd', startOf(5), stake('0xd', '0xt', { bondedAmount: 0n }), true)).toBeUndefined()
})

test('who was never seen, or has nothing bonded for certain, has zeros', () => {
  const zeros = { votes: 0n, delegate: null, isTranscoder: false, isActive: false, stake: 0n, bondedAmount: 0n }
  expect(l1VotingPower('0xn', startOf(5), undefined, true)).toMatchObject({ ...zeros, delegatedStake: 0n })
  const delegatedTo = stake('0xn', null, { bondedAmount: 0n, delegatedAmount: 30n })
  expect(l1VotingPower('0xn', startOf(5), delegatedTo, true)).toMatchObject({ ...zeros, delegatedStake: 30n })
})

const told = { delegate: '0xt', bondedAmount: 90n, pendingStake: 100n, delegatedAmount: 40n }
const of = (isTranscoder: boolean, isDelegateTranscoder: boolean) => ({ isTranscoder, isDelegateTranscoder })

test('what a contract told of a delegator is by the rule of BondingVotes', () => {
  const all = { account: '0xd', round: 5, block: null, delegate: '0xt', stake: 100n, bondedAmount: 90n }
  const fromContract = { isActive: false, delegatedStake: 40n, checkpointed: false, source: 'CONTRACT' }
  const delegator = stake('0xd', '0xt')
  const power = (is: ReturnType<typeof of>) => l1ToldVotingPower('0xd', startOf(5), delegator, told, is)
  expect(power(of(false, true))).toEqual({ ...all, ...fromContract, votes: 100n, isTranscoder: false })
  expect(power(of(false, false))).toEqual({ ...all, ...fromContract, votes: 0n, isTranscoder: false })
  expect(power(of(true, true))).toEqual({ ...all, ...fromContract, votes: 40n, isTranscoder: true })
})

test('what the launch left without a delegate is being unbonded: no stake', () => {
  const none = { ...told, delegate: `0x${'0'.repeat(40)}` }
  const power = l1ToldVotingPower('0xd', startOf(5), stake('0xd', null), none, of(false, false))
  expect(power).toMatchObject({ delegate: null, stake: 0n, bondedAmount: 0n, votes: 0n, delegatedStake: 40n })
})

test('on a poll a transcoder votes with all of its stake, anybody else with its own, and takes it off its transcoder', () => {
  const delegator = stake('0xd', '0xt')
  const elector = (is: ReturnType<typeof of>) =>
    pollElectorOf(l1ToldVotingPower('0xd', startOf(5), delegator, told, is))
  expect(elector(of(true, true))).toEqual({ power: 40n, transcoder: null })
  expect(elector(of(false, true))).toEqual({ power: 100n, transcoder: '0xt' })
  expect(elector(of(false, false))).toEqual({ power: 100n, transcoder: null })
})
