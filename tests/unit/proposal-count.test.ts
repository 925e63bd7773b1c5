import { describe, expect, test } from 'vitest'
import { governorElector } from '../../api/rules/governor-tally.ts'
import { percent, pollElector } from '../../api/rules/poll-tally.ts'
import type { VoteCast } from '../../api/rules/proposal.ts'
import {
  choicesOf,
  countWithBallots,
  pollCounting,
  type StakeMoment,
  treasuryCounting,
} from '../../api/rules/proposal-count.ts'
import { tally, type WeightedVote } from '../../api/rules/tally.ts'
import type { Stake } from '../../api/rules/voting-power.ts'
import { ONE, stake } from './stakes.ts'

/** Choices by their numbers: governor 0 against, 1 for, 2 abstain; poll 0 yes, 1 no. */
function cast(voter: string, choice: bigint, place: number, fields: Partial<VoteCast> = {}): VoteCast {
  return {
    voter,
    choice,
    valid: choice < 2n,
    weight: null,
    reason: null,
    at: { block: place, logIndex: 0, timestamp: place, transactionHash: `0x${place}`, round: 1 },
    ...fields,
  }
}

describe("the governor's tally", () => {
  const delegates: Record<string, string | null> = { t: 't', u: 'u', d: 't', e: 't', x: 'gone', gone: null }
  const stakeAt = (account: string) => {
    const delegate = delegates[account]
    return delegate === undefined ? undefined : stake(account, delegate)
  }
  const governorTally = (votes: WeightedVote[]) => tally(votes, (voter) => governorElector(voter, stakeAt).transcoder)
  const vote = (voter: string, choice: WeightedVote['choice'], weight: bigint): WeightedVote => ({
    voter,
    choice,
    weight,
  })

  test.each([
    [
      'before the transcoder, same choice',
      [vote('d', 'FOR', 30n), vote('t', 'FOR', 100n)],
      { for: 100n, against: 0n, abstain: 0n },
    ],
    [
      'before the transcoder, other choice',
      [vote('d', 'AGAINST', 30n), vote('t', 'FOR', 100n)],
      { for: 70n, against: 30n, abstain: 0n },
    ],
    [
      'after the transcoder, same choice',
      [vote('t', 'FOR', 100n), vote('d', 'FOR', 30n)],
      { for: 100n, against: 0n, abstain: 0n },
    ],
    [
      'after the transcoder, other choice',
      [vote('t', 'FOR', 100n), vote('d', 'ABSTAIN', 30n)],
      { for: 70n, against: 0n, abstain: 30n },
    ],
    [
      'one before and one after',
      [vote('d', 'AGAINST', 30n), vote('t', 'FOR', 100n), vote('e', 'AGAINST', 20n)],
      { for: 50n, against: 50n, abstain: 0n },
    ],
    ['without the transcoder', [vote('d', 'AGAINST', 30n)], { for: 0n, against: 30n, abstain: 0n }],
  ])('takes a delegator off its transcoder: %s', (_, votes, sums) => {
    const { sums: result, counted } = governorTally(votes)
    expect(result).toEqual(sums)
    expect(counted.get('d')).toEqual({ weight: 30n, countedWeight: 30n, overrides: 't' })
  })

  test('counts a delegator of an unregistered delegate with what the governor read, and overrides nobody', () => {
    const { sums, counted } = governorTally([vote('x', 'FOR', 0n)])
    expect(sums).toEqual({ for: 0n, against: 0n, abstain: 0n })
    expect(counted.get('x')).toEqual({ weight: 0n, countedWeight: 0n, overrides: null })
  })

  test('counts an account that no checkpoint knows', () => {
    expect(governorTally([vote('nobody', 'ABSTAIN', 5n)]).sums.abstain).toBe(5n)
  })
})

describe('a treasury proposal', () => {
  const proposal = { snapshotRound: 10, lastRound: 20, events: [] }
  const count = (
    casts: VoteCast[],
    { round = 21, electorate = 900n, events = [] as { kind: 'QUEUED' | 'EXECUTED' | 'CANCELED' }[] } = {},
  ) =>
    countWithBallots(
      treasuryCounting({ ...proposal, events }, choicesOf('TREASURY', casts), () => ({ power: 0n, transcoder: null }), {
        electorate,
        numerator: 333_300n,
        round,
        moment: 'at the start of round 11',
      }),
      choicesOf('TREASURY', casts),
    )
  const governorCast = (voter: string, choice: bigint, weight: bigint, place: number, fields = {}) =>
    cast(voter, choice, place, { weight, valid: true, ...fields })

  test('passes on a tie of for and against', () => {
    const { state, supportReached, passed } = count([governorCast('a', 1n, 200n, 1), governorCast('b', 0n, 200n, 2)])
    expect([state, supportReached, passed]).toEqual(['SUCCEEDED', true, true])
  })

  test('fails by one wei under the tie', () => {
    const { state, supportReached } = count([governorCast('a', 1n, 200n, 1), governorCast('b', 0n, 202n, 2)])
    expect([state, supportReached]).toEqual(['DEFEATED', false])
  })

  test('reaches the quorum exactly, abstentions included, and misses it by one', () => {
    // 900 · 33.33 % = 299.97, rounded down to 299.
    const exactly = count([governorCast('a', 1n, 200n, 1), governorCast('b', 2n, 99n, 2)])
    expect([exactly.quorum, exactly.quorumReached, exactly.state]).toEqual([299n, true, 'SUCCEEDED'])
    const short = count([governorCast('a', 1n, 200n, 1), governorCast('b', 2n, 98n, 2)])
    expect([short.quorumReached, short.state]).toEqual([false, 'DEFEATED'])
  })

  test.each([
    [10, [], 'PENDING', null, false],
    [11, [], 'ACTIVE', null, true],
    [20, [], 'ACTIVE', null, true],
    [21, [], 'DEFEATED', false, true],
    [12, [{ kind: 'CANCELED' as const }], 'CANCELED', false, true],
    [25, [{ kind: 'QUEUED' as const }, { kind: 'EXECUTED' as const }], 'EXECUTED', true, true],
  ])('in round %i with %j is %s', (round, events, state, passed, final) => {
    expect(count([], { round, events })).toMatchObject({ state, passed, final, supportReached: true })
  })

  test('queued stays queued for ever', () => {
    const casts = [governorCast('a', 1n, 500n, 1)]
    expect(count(casts, { round: 2000, events: [{ kind: 'QUEUED' }] }).state).toBe('QUEUED')
  })

  test('two votes of one transaction stand in the order of their logs', () => {
    const at = cast('', 0n, 7).at
    const { ballots } = count([
      governorCast('a', 1n, 3n, 7, { at: { ...at, logIndex: 4 } }),
      governorCast('b', 0n, 5n, 7, { at: { ...at, logIndex: 9 } }),
    ])
    expect(ballots.map(({ voter, countedWeight }) => [voter, countedWeight])).toEqual([
      ['a', 3n],
      ['b', 5n],
    ])
  })

  test('says which rule was applied to which figures', () => {
    const { explanation } = count([governorCast('a', 1n, 200n, 1)])
    expect(explanation).toContain(
      'Quorum not reached: for 200 + against 0 + abstain 0 = 200 wei, at least 299 wei needed',
    )
    expect(explanation).toContain('LivepeerGovernor.quorum, LIP-89')
    expect(explanation).toContain('Support reached: for 200 wei, at least 100 wei needed')
  })
})

describe('a poll', () => {
  const stakes: Record<string, Stake> = {
    t: stake('t', 't', { delegatedAmount: 100n, lastRewardRound: 8, cumulativeRewardFactor: ONE * 2n }),
    d: stake('d', 't', { bondedAmount: 15n }),
    x: stake('x', 'gone', { bondedAmount: 7n }),
    gone: stake('gone', null, { bondedAmount: 0n, delegatedAmount: 7n }),
  }
  const stakeOf = (account: string) => stakes[account]
  const pollTally = (votes: [string, 'FOR' | 'AGAINST'][], of = stakeOf) => {
    const elector = (voter: string) => pollElector(voter, of, 9)
    return tally(
      votes.map(([voter, choice]) => ({ voter, choice, weight: elector(voter).power })),
      (voter) => elector(voter).transcoder,
    )
  }

  test.each([
    [
      'before',
      [
        ['d', 'AGAINST'],
        ['t', 'FOR'],
      ] as [string, 'FOR' | 'AGAINST'][],
    ],
    [
      'after',
      [
        ['t', 'FOR'],
        ['d', 'AGAINST'],
      ] as [string, 'FOR' | 'AGAINST'][],
    ],
  ])('takes a delegator with its rewards off its transcoder, voting %s it', (_, votes) => {
    const { sums, counted } = pollTally(votes)
    expect(sums).toEqual({ for: 70n, against: 30n, abstain: 0n })
    expect(counted.get('t')).toEqual({ weight: 100n, countedWeight: 70n, overrides: null })
    expect(counted.get('d')).toEqual({ weight: 30n, countedWeight: 30n, overrides: 't' })
  })

  test('with the same choice gives the sum once', () => {
    expect(
      pollTally([
        ['t', 'FOR'],
        ['d', 'FOR'],
      ]).sums.for,
    ).toBe(100n)
  })

  test('counts a delegator of an unregistered delegate in full', () => {
    const { sums, counted } = pollTally([
      ['x', 'FOR'],
      ['gone', 'AGAINST'],
    ])
    expect(sums).toEqual({ for: 7n, against: 0n, abstain: 0n })
    expect(counted.get('x')).toEqual({ weight: 7n, countedWeight: 7n, overrides: null })
    expect(counted.get('gone')?.weight).toBe(0n)
  })

  test('counts a voter without stake as nothing', () => {
    expect(pollTally([['nobody', 'FOR']])).toEqual({
      sums: { for: 0n, against: 0n, abstain: 0n },
      counted: new Map([['nobody', { weight: 0n, countedWeight: 0n, overrides: null }]]),
    })
  })

  test('counts a transcoder that resigned meanwhile, and its delegators, by their own stake', () => {
    const resigned: Record<string, Stake> = {
      ...stakes,
      t: stake('t', null, {
        bondedAmount: 0n,
        delegatedAmount: 30n,
        lastRewardRound: 8,
        cumulativeRewardFactor: ONE * 2n,
      }),
    }
    const { sums } = pollTally(
      [
        ['t', 'FOR'],
        ['d', 'AGAINST'],
      ],
      (account) => resigned[account],
    )
    expect(sums).toEqual({ for: 0n, against: 30n, abstain: 0n })
  })

  test('counts stake that moved between two voters once, where it is at the end', () => {
    const before = {
      a: stake('a', 't', { bondedAmount: 40n, lastClaimRound: 9 }),
      b: stake('b', 't', { bondedAmount: 2n, lastClaimRound: 9 }),
      t: stakes.t,
    }
    const after = {
      ...before,
      a: stake('a', 't', { bondedAmount: 1n, lastClaimRound: 9 }),
      b: stake('b', 't', { bondedAmount: 41n, lastClaimRound: 9 }),
    }
    const votes: [string, 'FOR' | 'AGAINST'][] = [
      ['a', 'FOR'],
      ['b', 'AGAINST'],
    ]
    expect(pollTally(votes, (account) => before[account as keyof typeof before]).sums).toEqual({
      for: 40n,
      against: 2n,
      abstain: 0n,
    })
    expect(pollTally(votes, (account) => after[account as keyof typeof after]).sums).toEqual({
      for: 1n,
      against: 41n,
      abstain: 0n,
    })
  })

  const poll = { quorum: 333_300n, quota: 500_000n }
  const closed = { isOpen: false, round: 9, totalStake: 300n, totalActiveStake: 200n, moment: 'at L1 block 1000' }
  const countPoll = (
    terms: typeof poll,
    casts: VoteCast[],
    of: (account: string) => Stake | undefined,
    at: StakeMoment & { isOpen: boolean },
  ) => countWithBallots(pollCounting(terms, choicesOf('POLL', casts), of, at), choicesOf('POLL', casts))
  const equal: Record<string, Stake> = {
    a: stake('a', 'a', { delegatedAmount: 50n }),
    b: stake('b', 'b', { delegatedAmount: 50n }),
  }

  test('fails on a tie, though the quorum is reached exactly', () => {
    // ⌈300 · 33.33 %⌉ = ⌈99.99⌉ = 100
    const { state, quorum, quorumReached, supportReached, passed } = countPoll(
      poll,
      [cast('a', 0n, 1), cast('b', 1n, 2)],
      (account) => equal[account],
      closed,
    )
    expect([state, quorum, quorumReached, supportReached, passed]).toEqual(['DEFEATED', 100n, true, false, false])
  })

  test('passes by one wei over the tie', () => {
    const more: Record<string, Stake> = { ...equal, a: stake('a', 'a', { delegatedAmount: 51n }) }
    const { state } = countPoll(poll, [cast('a', 0n, 1), cast('b', 1n, 2)], (account) => more[account], closed)
    expect(state).toBe('SUCCEEDED')
  })

  test('while open is neither passed nor final', () => {
    const count = countPoll(poll, [cast('a', 0n, 1)], (account) => equal[account], { ...closed, isOpen: true })
    expect(count).toMatchObject({ state: 'ACTIVE', passed: null, final: false })
  })
})

describe('ballots', () => {
  test('a choice that is none neither counts nor replaces one', () => {
    const ballots = choicesOf('POLL', [cast('a', 0n, 1), cast('a', 7n, 2), cast('b', 7n, 3)])
    expect(ballots.map(({ voter, choice, earlier }) => [voter, choice, earlier.length])).toEqual([['a', 'FOR', 0]])
  })

  test('a vote changed back and forth counts as last sent, with all before it', () => {
    const casts = [cast('a', 0n, 1), cast('b', 1n, 2), cast('a', 1n, 3), cast('a', 7n, 4), cast('a', 0n, 5)]
    const ballots = choicesOf('POLL', casts)
    expect(ballots.map(({ voter }) => voter)).toEqual(['b', 'a'])
    expect(ballots[1]).toMatchObject({ choice: 'FOR', cast: { at: { block: 5 } } })
    expect(ballots[1]?.earlier.map(({ choice }) => choice)).toEqual([0n, 1n, 7n])
  })
})

test.each([
  [1n, 3n, '33.3333'],
  [1n, 2n, '50'],
  [0n, 5n, '0'],
  [5n, 0n, '0'],
  [3n, 1_000_000n, '0.0003'],
  [12n, 10n, '120'],
])('%i of %i is %s percent', (part, whole, text) => {
  expect(percent(part, whole)).toBe(text)
})
