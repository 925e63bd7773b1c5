import { describe, expect, test } from 'vitest'
import { aragonRule, pollRule, treasuryRule } from '../../api/rules/counting-rule.ts'
import type { VoteChoice } from '../../api/rules/proposal.ts'
import {
  type AragonCounting,
  type Counting,
  count,
  type PollCounting,
  type TreasuryCounting,
} from '../../api/rules/proposal-count.ts'
import { type Changes, recount } from '../../api/rules/recount.ts'
import type { Elector, WeightedVote } from '../../api/rules/tally.ts'

const NOTHING: Changes = {
  round: null,
  quorum: null,
  support: null,
  strict: null,
  overrides: null,
  ofActiveStake: null,
  without: [],
  choices: [],
}

/** Transcoder t of 100 wei with delegators d of 30 and e of 80, and transcoder u of 60. Nobody else has anything. */
const ELECTORS: Record<string, Elector> = {
  t: { power: 100n, transcoder: null },
  d: { power: 30n, transcoder: 't' },
  e: { power: 80n, transcoder: 't' },
  u: { power: 60n, transcoder: null },
}
const electorOf = (account: string) => ELECTORS[account] ?? { power: 0n, transcoder: null }
const votesOf = (votes: Record<string, VoteChoice>): WeightedVote[] =>
  Object.entries(votes).map(([voter, choice]) => ({ voter, choice, weight: electorOf(voter).power }))

function treasury(votes: Record<string, VoteChoice>, fields: Partial<TreasuryCounting> = {}): TreasuryCounting {
  return {
    system: 'TREASURY',
    rule: treasuryRule(500_000n),
    votes: votesOf(votes),
    electorOf,
    electorate: 160n,
    moment: 'at the start of round 11',
    snapshotRound: 10,
    lastRound: 20,
    events: [],
    round: 21,
    ...fields,
  }
}

function poll(votes: Record<string, VoteChoice>, fields: Partial<PollCounting> = {}): PollCounting {
  return {
    system: 'POLL',
    rule: pollRule({ quorum: 500_000n, quota: 500_000n }),
    votes: votesOf(votes),
    electorOf,
    electorate: 160n,
    electorateIs: 'all stake',
    totalStake: 160n,
    totalActiveStake: 160n,
    moment: 'at L1 block 1000',
    isOpen: false,
    ...fields,
  }
}

const TENTH = 10n ** 17n

function aragon(votes: Record<string, VoteChoice>, fields: Partial<AragonCounting> = {}): AragonCounting {
  return {
    system: 'ARAGON',
    rule: aragonRule({ supportRequired: 5n * TENTH, minAcceptQuorum: 2n * TENTH }),
    votes: votesOf(votes),
    electorOf: (account) => ({ ...electorOf(account), transcoder: null }),
    electorate: 270n,
    moment: 'at the snapshot',
    startDate: 1000n,
    voteTime: 100n,
    now: 2000n,
    executedAt: null,
    triedAt: null,
    ...fields,
  }
}

const sumsOf = (counting: Counting, changes: Partial<Changes>) => {
  const { sums } = recount(counting, { ...NOTHING, ...changes }, count(counting))
  return [sums.for, sums.against, sums.abstain]
}
const passes = (counting: Counting, changes: Partial<Changes>) => {
  const { passed, turns } = recount(counting, { ...NOTHING, ...changes }, count(counting))
  return [passed, turns]
}

describe('with nothing changed', () => {
  const VOTES = { d: 'AGAINST', t: 'FOR', u: 'FOR' } as const
  test.each<[string, Counting]>([
    ['a treasury proposal', treasury(VOTES)],
    ['one that was executed', treasury(VOTES, { events: [{ kind: 'QUEUED' }, { kind: 'EXECUTED' }] })],
    ['one that was canceled', treasury(VOTES, { events: [{ kind: 'CANCELED' }] })],
    ['one to come', treasury({}, { round: 10 })],
    ['an open one', treasury(VOTES, { round: 15 })],
    ['a poll', poll(VOTES)],
    ['an open poll', poll(VOTES, { isOpen: true })],
    ['an Aragon vote', aragon(VOTES)],
    ['one executed after its end', aragon(VOTES, { executedAt: 1500n })],
    ['one executed before its end', aragon(VOTES, { executedAt: 1050n, now: 1060n })],
    ['an open Aragon vote', aragon(VOTES, { now: 1050n })],
  ])('%s comes to what it came to', (_, counting) => {
    const real = count(counting)
    const { sums, electorate, quorum, final, passed, quorumReached, supportReached, explanation, turns } = recount(
      counting,
      NOTHING,
      real,
    )
    const verdict = { sums, electorate, quorum, final, passed, quorumReached, supportReached, explanation }
    expect({ ...verdict, turns }).toEqual({
      ...Object.fromEntries(Object.keys(verdict).map((name) => [name, real[name as keyof typeof real]])),
      turns: false,
    })
  })
})

describe('votes', () => {
  test.each<[string, Record<string, VoteChoice>, Partial<Changes>, bigint[]]>([
    ['a delegator takes its own off its transcoder', { d: 'AGAINST', t: 'FOR' }, {}, [70n, 30n, 0n]],
    ['without the delegator its transcoder has all', { d: 'AGAINST', t: 'FOR' }, { without: ['d'] }, [100n, 0n, 0n]],
    ['without the transcoder the delegator has its own', { t: 'FOR', d: 'AGAINST' }, { without: ['t'] }, [0n, 30n, 0n]],
    ['without all there is nothing', { t: 'FOR', d: 'AGAINST', u: 'FOR' }, { without: ['t', 'd', 'u'] }, [0n, 0n, 0n]],
    ['without one that did not vote nothing changes', { t: 'FOR' }, { without: ['u', 'x'] }, [100n, 0n, 0n]],
    [
      'a changed choice moves its weight',
      { d: 'AGAINST', t: 'FOR' },
      { choices: [{ voter: 't', choice: 'ABSTAIN' }] },
      [0n, 30n, 70n],
    ],
    [
      'a transcoder that votes after its delegator has what is left',
      { d: 'AGAINST' },
      { choices: [{ voter: 't', choice: 'FOR' }] },
      [70n, 30n, 0n],
    ],
    [
      'a delegator that votes after its transcoder takes its own off it',
      { t: 'FOR' },
      { choices: [{ voter: 'e', choice: 'AGAINST' }] },
      [20n, 80n, 0n],
    ],
    [
      'delegators with more than their transcoder count as the rule has it',
      { d: 'FOR', e: 'FOR' },
      { choices: [{ voter: 't', choice: 'AGAINST' }] },
      [110n, -10n, 0n],
    ],
    ['who has nothing adds nothing', { t: 'FOR' }, { choices: [{ voter: 'x', choice: 'AGAINST' }] }, [100n, 0n, 0n]],
    ['nobody is taken off anybody', { d: 'AGAINST', t: 'FOR' }, { overrides: false }, [100n, 30n, 0n]],
    ['where nobody overrides that is no matter', { t: 'FOR', u: 'AGAINST' }, { overrides: false }, [100n, 60n, 0n]],
  ])('%s', (_, votes, changes, sums) => {
    expect(sumsOf(treasury(votes), changes)).toEqual(sums)
    if (!Object.values(votes).includes('ABSTAIN')) expect(sumsOf(poll(votes), changes)).toEqual(sums)
  })

  test('of a poll are measured against active stake, where they are to be', () => {
    // Half of all 320 wei is 160, of the active 150 it is 75: t casts 100.
    const counting = poll({ t: 'FOR' }, { electorate: 320n, totalStake: 320n, totalActiveStake: 150n })
    const real = { passed: false }
    expect([null, false, true].map((ofActiveStake) => recount(counting, { ...NOTHING, ofActiveStake }, real))).toEqual([
      expect.objectContaining({
        electorate: 320n,
        quorum: 160n,
        quorumReached: false,
        state: 'DEFEATED',
        turns: false,
      }),
      expect.objectContaining({
        electorate: 320n,
        quorum: 160n,
        quorumReached: false,
        state: 'DEFEATED',
        turns: false,
      }),
      expect.objectContaining({ electorate: 150n, quorum: 75n, quorumReached: true, state: 'SUCCEEDED', turns: true }),
    ])
    expect(recount(counting, { ...NOTHING, ofActiveStake: true }, real).explanation.replace(/ Support .*/, '')).toBe(
      'Hypothetical, a quorum of active stake. Quorum reached: yes 100 + no 0 = 100 wei, at least 75 wei needed, 50 % of ' +
        'active stake of 150 wei at L1 block 1000, rounded up (LIP-16; 31.25 % of all stake, 66.6666 % of active stake).',
    )
  })

  test('of an Aragon vote are nobody else’s', () => {
    const votes = { d: 'AGAINST', t: 'FOR' } as const
    for (const overrides of [null, true, false]) expect(sumsOf(aragon(votes), { overrides })).toEqual([100n, 30n, 0n])
    expect(sumsOf(aragon(votes), { choices: [{ voter: 'u', choice: 'AGAINST' }], without: ['d'] })).toEqual([
      100n,
      60n,
      0n,
    ])
  })

  test('are told, those as they were cast first', () => {
    const { votes } = recount(
      treasury({ d: 'AGAINST', t: 'FOR' }),
      { ...NOTHING, without: ['d'], choices: [{ voter: 'e', choice: 'ABSTAIN' }] },
      { passed: true },
    )
    expect(votes).toEqual([
      { voter: 't', choice: 'FOR', weight: 100n, countedWeight: 20n, overrides: null },
      { voter: 'e', choice: 'ABSTAIN', weight: 80n, countedWeight: 80n, overrides: 't' },
    ])
  })
})

describe('a tie', () => {
  const tie = { d: 'AGAINST', u: 'FOR' } as const
  const equal = { ...ELECTORS, d: { power: 60n, transcoder: null } }
  const electors = (account: string) => equal[account as keyof typeof equal]
  const votes = votesOf(tie).map((vote) => ({ ...vote, weight: 60n }))
  const cases: [string, Counting, boolean][] = [
    ['treasury', treasury({}, { votes, electorOf: electors }), true],
    ['poll', poll({}, { votes, electorOf: electors }), false],
    ['Aragon', aragon({}, { votes, electorOf: electors }), false],
  ]
  test.each(cases)('%s: passes unless it is strict', (_, counting, really) => {
    expect(count(counting).passed).toBe(really)
    expect(passes(counting, { strict: true })).toEqual([false, really])
    expect(passes(counting, { strict: false })).toEqual([true, !really])
  })

  test('is one wei from passing by a strict rule', () => {
    const [against, inFavour] = votes
    if (against === undefined || inFavour === undefined) throw new Error('no votes')
    const more = [against, { ...inFavour, weight: 61n }]
    for (const counting of [treasury({}, { votes: more }), poll({}, { votes: more }), aragon({}, { votes: more })]) {
      expect(passes({ ...counting, electorOf: electors }, { strict: true })[0]).toBe(true)
    }
  })
})

describe('quorum and support', () => {
  const votes = { t: 'FOR', u: 'AGAINST' } as const

  test.each<[string, Counting, Partial<Changes>, bigint, unknown[]]>([
    ['treasury, all of it', treasury(votes), { quorum: 1_000_000 }, 160n, [true, false]],
    ['treasury, rounded down', treasury(votes), { quorum: 333_333 }, 53n, [true, false]],
    ['treasury, none', treasury({}), { quorum: 0 }, 0n, [true, true]],
    ['treasury, more support than there is', treasury(votes), { support: 700_000 }, 80n, [false, true]],
    ['poll, rounded up', poll(votes), { quorum: 333_333 }, 54n, [true, false]],
    ['poll, more support than there is', poll(votes), { support: 625_000 }, 80n, [false, true]],
    ['Aragon, more than its part', aragon(votes), { quorum: 370_370 }, 100n, [true, false]],
    ['Aragon, more than there is', aragon(votes), { quorum: 370_371 }, 101n, [false, true]],
    ['Aragon, more support than there is', aragon(votes), { support: 625_000 }, 55n, [false, true]],
  ])('%s', (_, counting, changes, quorum, expected) => {
    expect(recount(counting, { ...NOTHING, ...changes }, count(counting)).quorum).toBe(quorum)
    expect(passes(counting, changes)).toEqual(expected)
  })
})

describe('what followed', () => {
  test('is undone where it would not have passed', () => {
    const events = [{ kind: 'QUEUED' as const }, { kind: 'EXECUTED' as const }]
    expect(passes(treasury({ t: 'FOR' }, { events }), { without: ['t'] })).toEqual([false, true])
    expect(passes(aragon({ t: 'FOR' }, { executedAt: 1500n }), { without: ['t'] })).toEqual([false, true])
  })

  test('of what was canceled is that it was', () => {
    expect(passes(treasury({ t: 'FOR' }, { events: [{ kind: 'CANCELED' }] }), { quorum: 0 })).toEqual([false, false])
  })

  test('of an open one is undecided', () => {
    expect(passes(treasury({}, { round: 20 }), { choices: [{ voter: 't', choice: 'FOR' }] })).toEqual([null, false])
    expect(passes(poll({}, { isOpen: true }), { choices: [{ voter: 't', choice: 'FOR' }] })).toEqual([null, false])
  })

  test('of an Aragon vote executed early is that it would still be open, where it would not have been decided', () => {
    const votes = { t: 'FOR', u: 'FOR' } as const
    const early = aragon(votes, { executedAt: 1050n, now: 1060n })
    expect(passes(early, {})).toEqual([true, false])
    expect(passes(early, { without: ['u'] })).toEqual([null, true])
    expect(passes({ ...early, now: 1100n }, { without: ['u'] })).toEqual([true, false])
    expect(passes({ ...early, now: 1100n }, { without: ['t', 'u'] })).toEqual([false, true])
  })
})

test('says what was changed, before the rule and its figures', () => {
  const { explanation } = recount(
    treasury({ t: 'FOR' }),
    { ...NOTHING, quorum: 200_000, support: 666_700, strict: true, overrides: false, without: ['u'] },
    { passed: true },
  )
  expect(explanation).toBe(
    'Hypothetical, a quorum of 20 %, support of 66.67 %, a tie failing, ' +
      "nobody's vote taken off anybody's, without the votes of 1. " +
      'Quorum reached: for 100 + against 0 + abstain 0 = 100 wei, at least 32 wei needed, 20 % of the active stake of ' +
      '160 wei at the start of round 11, rounded down (LivepeerGovernor.quorum, LIP-89). ' +
      'Support reached: for 100 wei, more than 66 wei needed, 66.67 % of for and against, rounded down ' +
      '(GovernorCountingOverridable._voteSucceeded).',
  )
})
