import { describe, expect, test } from 'vitest'
import { aragonRule, type CountingRule, pollRule, treasuryRule } from '../../api/rules/counting-rule.ts'
import type { System, VoteChoice } from '../../api/rules/proposal.ts'
import { type Counting, count } from '../../api/rules/proposal-count.ts'
import { type Changes, recount } from '../../api/rules/recount.ts'
import type { Elector } from '../../api/rules/tally.ts'
import { changesOf, NOTHING, partsOfPercent, percentOfParts, queryOf, withChoice } from '../../web/proposal/changes.ts'
import {
  asClosed,
  type CountedProposal,
  countingOf,
  decidedBy,
  passes,
  standingsOf,
  type ToldVote,
} from '../../web/proposal/counting.ts'
import { sharesBySize, smallestTurningAbsentees, smallestTurningVoters } from '../../web/proposal/decisiveness.ts'
import { flatRows, nestedRows } from '../../web/proposal/nesting.ts'

const LPT = 10n ** 18n

/** Numbers that look random and are the same each time. */
function randomOf(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return Math.floor((state / 2_147_483_648) * below)
  }
}

const account = (index: number) => `0x${String(index).padStart(40, '0')}`

interface World {
  electors: Map<string, Elector>
  transcoders: string[]
  delegators: string[]
}

/** Transcoders with delegators, whose stake is part of theirs to the wei. */
function worldOf(random: (below: number) => number): World {
  const electors = new Map<string, Elector>()
  const transcoders: string[] = []
  const delegators: string[] = []
  for (let index = 0; index < 4 + random(6); index++) {
    const transcoder = account(1000 + index)
    let power = BigInt(random(1_000_000)) * LPT + BigInt(random(1_000_000)) + 1n
    for (let inner = 0; inner < random(5); inner++) {
      const delegator = account(2000 + index * 10 + inner)
      const own = BigInt(random(300_000)) * LPT + BigInt(random(1_000_000))
      electors.set(delegator, { power: own, transcoder })
      delegators.push(delegator)
      power += own
    }
    electors.set(transcoder, { power, transcoder: null })
    transcoders.push(transcoder)
  }
  return { electors, transcoders, delegators }
}

const CHOICES: Record<System, VoteChoice[]> = {
  TREASURY: ['FOR', 'AGAINST', 'ABSTAIN'],
  POLL: ['FOR', 'AGAINST'],
  ARAGON: ['FOR', 'AGAINST'],
}

/** A proposal as the API counts it, and the same as the API tells of it. */
function made(system: System, seed: number) {
  const random = randomOf(seed)
  const { electors, transcoders, delegators } = worldOf(random)
  if (system === 'ARAGON') for (const elector of electors.values()) elector.transcoder = null
  const electorOf = (voter: string) => electors.get(voter) ?? { power: 0n, transcoder: null }
  const everybody = [...transcoders, ...delegators]
  const voters = everybody.filter(() => random(3) > 0)
  const votes = voters.map((voter) => ({
    voter,
    choice: CHOICES[system][random(CHOICES[system].length)] ?? 'FOR',
    weight: electorOf(voter).power,
  }))
  const electorate = transcoders.reduce((sum, one) => sum + electorOf(one).power, 0n)
  const rules: Record<System, CountingRule> = {
    TREASURY: treasuryRule(BigInt(100_000 + random(800_000))),
    POLL: pollRule({ quorum: BigInt(100_000 + random(800_000)), quota: 500_000n }),
    ARAGON: aragonRule({
      supportRequired: 5n * 10n ** 17n,
      minAcceptQuorum: BigInt(1 + random(6)) * 10n ** 17n,
    }),
  }
  const state = random(3)
  const fixed = { rule: rules[system], votes, electorOf, electorate, moment: 'then' }
  const counting: Counting =
    system === 'TREASURY'
      ? {
          system,
          ...fixed,
          snapshotRound: 10,
          lastRound: 20,
          round: [10, 15, 21][state] ?? 21,
          events: state === 2 && random(2) === 0 ? [{ kind: 'QUEUED' }] : [],
        }
      : system === 'POLL'
        ? {
            system,
            ...fixed,
            isOpen: state === 0,
            electorateIs: 'all stake',
            totalStake: electorate,
            totalActiveStake: electorate,
          }
        : {
            system,
            ...fixed,
            startDate: 1_600_000_000n,
            voteTime: 1_000n,
            now: [1_600_000_100n, 1_600_002_000n][state % 2] ?? 0n,
            executedAt: null,
            triedAt: null,
          }
  const real = count(counting)
  const told: ToldVote[] = votes.map(({ voter, choice, weight }, index) => ({
    voter,
    choice,
    weight: String(weight),
    countedWeight: String(real.counted.get(voter)?.countedWeight),
    overrides: real.counted.get(voter)?.overrides ?? null,
    reason: null,
    castAt: { block: String(100 + index), logIndex: 0, timestamp: '2020-09-13T12:28:20.000Z', round: 15 },
    earlier: [],
  }))
  const taken = (transcoder: string) =>
    votes.reduce((sum, { voter, weight }) => (electorOf(voter).transcoder === transcoder ? sum + weight : sum), 0n)
  const eligible = system === 'ARAGON' ? everybody : transcoders
  const absentees = eligible
    .filter((one) => !voters.includes(one))
    .map((one) => ({ account: one, power: String(electorOf(one).power - taken(one)) }))
    .filter(({ power }) => power !== '0')
  const part = (of: CountingRule['quorum']) => ({
    numerator: String(of.numerator),
    denominator: String(of.denominator),
  })
  const { rule } = counting
  const proposal: CountedProposal = {
    system,
    state: real.state,
    tally: { electorate: String(electorate), final: real.final },
    rule: {
      quorum: part(rule.quorum),
      support: part(rule.support),
      quorumChoices: [...rule.quorumChoices],
      strict: rule.strict,
      overrides: rule.overrides,
    },
    timeline:
      counting.system === 'TREASURY'
        ? counting.events.map(({ kind }) => ({ kind, timestamp: '2020-09-13T12:28:20.000Z' }))
        : [],
    ...(system === 'TREASURY' ? { snapshotRound: 10, lastRound: 20 } : {}),
    ...(system === 'ARAGON' ? { startDate: '2020-09-13T12:26:40.000Z', endDate: '2020-09-13T12:43:20.000Z' } : {}),
  }
  const now =
    counting.system === 'ARAGON' ? new Date(Number(counting.now) * 1000).toISOString() : '2020-09-14T00:00:00Z'
  return { counting, real, proposal, told, absentees, now, random, everybody }
}

/** A count without its words, which name the moment and so are the API's alone. */
function figures({ explanation: _, ...rest }: ReturnType<typeof recount>) {
  return rest
}

describe.each(['TREASURY', 'POLL', 'ARAGON'] as const)('a %s counted in the browser', (system) => {
  test.each(Array.from({ length: 60 }, (_, seed) => seed + 1))('is counted as by the API, world %i', (seed) => {
    const { counting, real, proposal, told, absentees, now, random } = made(system, seed)
    const here = countingOf(proposal, told, absentees, now)
    if (here === undefined) throw new Error('not countable')
    expect(figures(recount(here, NOTHING, real))).toEqual(figures(recount(counting, NOTHING, real)))
    const known = [...told.map(({ voter }) => voter), ...absentees.map((one) => one.account)]
    const changed = known.filter(() => random(4) === 0)
    const changes: Changes = {
      ...NOTHING,
      quorum: random(2) === 0 ? random(1_000_000) : null,
      support: random(2) === 0 ? random(1_000_000) : null,
      strict: random(2) === 0 ? random(2) === 0 : null,
      overrides: system === 'ARAGON' || random(2) === 0 ? null : random(2) === 0,
      without: changed.filter((_, index) => index % 2 === 0),
      choices: changed
        .filter((_, index) => index % 2 === 1)
        .map((voter) => ({ voter, choice: CHOICES[system][random(CHOICES[system].length)] ?? 'FOR' })),
    }
    expect(figures(recount(here, changes, real))).toEqual(figures(recount(counting, changes, real)))
    // What an address says of them is read back as the same.
    expect(changesOf(queryOf(changes), system)).toEqual(changes)
  })

  test.each(Array.from({ length: 40 }, (_, seed) => seed + 1))(
    'no fewer could have turned world %i',
    (seed) => {
      const { proposal, told, absentees, now } = made(system, seed)
      const here = countingOf(proposal, told, absentees, now)
      if (here === undefined) throw new Error('not countable')
      const real = count(here)
      const passed = passes(here, real.sums)
      const closed = asClosed(here)
      const opposite: VoteChoice = passed ? 'AGAINST' : 'FOR'
      const turnsWith = (voters: readonly string[]) =>
        recount(closed, { ...NOTHING, choices: voters.map((voter) => ({ voter, choice: opposite })) }, { passed }).turns
      const others = told.filter(({ choice }) => choice !== opposite).map(({ voter }) => voter)
      const set = smallestTurningVoters(here)
      if (set === null) {
        expect(turnsWith(others)).toBe(false)
      } else {
        expect(set.choice).toBe(opposite)
        expect(turnsWith(set.accounts.map((one) => one.account))).toBe(true)
        // Every smaller set of a small world, of a large one some.
        for (const smaller of setsOf(others, Math.min(set.accounts.length - 1, 3))) {
          expect(turnsWith(smaller), smaller.join()).toBe(false)
        }
      }
      const powers = absentees.map((one) => ({ account: one.account, power: BigInt(one.power) }))
      const absent = smallestTurningAbsentees(here, powers)
      const all = powers.map((one) => one.account)
      if (absent === null) {
        expect(turnsWith(all)).toBe(false)
      } else {
        expect(turnsWith(absent.accounts.map((one) => one.account))).toBe(true)
        for (const smaller of setsOf(all, absent.accounts.length - 1)) expect(turnsWith(smaller)).toBe(false)
      }
    },
    30_000,
  )

  test.each([1, 2, 3, 4, 5])('stands in the end as it is counted, world %i', (seed) => {
    const { proposal, told, absentees, now } = made(system, seed)
    const here = countingOf(proposal, told, absentees, now)
    if (here === undefined) throw new Error('not countable')
    const standings = standingsOf(here, told)
    expect(standings).toHaveLength(told.length)
    expect(standings.at(-1)?.sums).toEqual(count(here).sums)
    for (const [index, standing] of standings.entries()) {
      const late = told.slice(index + 1).map(({ voter }) => voter)
      const { sums, quorumReached, supportReached, passed } = recount(
        asClosed(here),
        { ...NOTHING, without: late },
        { passed: false },
      )
      expect(standing).toMatchObject({ sums, quorumReached, supportReached, passes: passed === true })
    }
    const decided = decidedBy(standings)
    const at = decided === undefined ? -1 : standings.indexOf(decided)
    const end = standings.at(-1)?.passes
    expect(standings.slice(Math.max(at, 0)).every((one) => one.passes === end)).toBe(true)
    if (at > 0) expect(standings[at - 1]?.passes).toBe(!end)
  })
})

test('who abstained could have turned it too', () => {
  const { proposal, now } = made('TREASURY', 1)
  const votes = [
    ...['a', 'b', 'c'].map((voter) => vote(voter, 10, null)),
    vote('d', 5, null, { choice: 'AGAINST' }),
    vote('e', 100, null, { choice: 'ABSTAIN' }),
  ]
  const closed = { ...proposal, state: 'SUCCEEDED' as const, tally: { electorate: '135', final: true } }
  const here = countingOf(closed, votes, [], now)
  if (here === undefined) throw new Error('not countable')
  expect(smallestTurningVoters(here)).toEqual({ choice: 'AGAINST', accounts: [{ account: 'e', weight: 100n }] })
  const without = countingOf(closed, votes.slice(0, 4), [], now)
  if (without === undefined) throw new Error('not countable')
  // Two of three, where nobody abstained; their sum passed by 30 against 5.
  expect(smallestTurningVoters({ ...without, electorate: 35n })).toEqual({
    choice: 'AGAINST',
    accounts: [
      { account: 'a', weight: 10n },
      { account: 'b', weight: 10n },
    ],
  })
})

/** All sets of so many, and of fewer. */
function setsOf(all: readonly string[], most: number): string[][] {
  let sets: string[][] = [[]]
  for (const one of all) {
    sets = sets.flatMap((set) => (set.length < most ? [set, [...set, one]] : [set]))
    if (sets.length > 1_000) return sets
  }
  return sets
}

const vote = (voter: string, weight: number, overrides: string | null, fields: Partial<ToldVote> = {}): ToldVote => ({
  voter,
  choice: 'FOR',
  weight: String(weight),
  countedWeight: String(weight),
  overrides,
  reason: null,
  castAt: { block: '1', logIndex: 0, timestamp: '2020-09-13T12:28:20.000Z', round: 1 },
  earlier: [],
  ...fields,
})

test('an earlier choice counts until it is changed', () => {
  const at = (block: number) => ({
    block: String(block),
    logIndex: 0,
    timestamp: new Date(block * 1000).toISOString(),
    round: 1,
  })
  const { proposal, now } = made('POLL', 1)
  const votes = [
    vote('a', 70, null, {
      castAt: at(9),
      choice: 'AGAINST',
      earlier: [
        { choice: 'FOR', rawChoice: '0', castAt: at(2) },
        { choice: null, rawChoice: '7', castAt: at(5) },
      ],
    }),
    vote('b', 30, 'a', { castAt: at(7) }),
  ]
  const here = countingOf({ ...proposal, tally: { electorate: '100', final: true }, state: 'DEFEATED' }, votes, [], now)
  if (here === undefined) throw new Error('not countable')
  const standings = standingsOf(here, votes)
  expect(standings.map(({ at: second, voter, sums }) => ({ second, voter, ...sums }))).toEqual([
    { second: 2, voter: 'a', for: 70n, against: 0n, abstain: 0n },
    { second: 7, voter: 'b', for: 70n, against: 0n, abstain: 0n },
    { second: 9, voter: 'a', for: 30n, against: 40n, abstain: 0n },
  ])
  expect(decidedBy(standings)?.voter).toBe('a')
})

test('what cannot be told cannot be counted', () => {
  const { proposal, told, absentees, now } = made('TREASURY', 1)
  for (const missing of [{ state: null }, { tally: null }, { rule: null }]) {
    expect(countingOf({ ...proposal, ...missing }, told, absentees, now)).toBeUndefined()
  }
})

describe('nesting', () => {
  const votes = [
    vote('d1', 10, 't1'),
    vote('t2', 500, null),
    vote('d2', 20, 't3', { choice: 'AGAINST' }),
    vote('t1', 100, null),
    vote('d3', 30, 't1', { choice: 'AGAINST' }),
    vote('alone', 5, null),
  ]
  const told = (rows: ReturnType<typeof nestedRows>) =>
    rows.map(({ account: who, depth, taken, takers, vote: own }) => [
      who,
      depth,
      Number(taken),
      takers,
      own === null ? 'absent' : own.weight,
    ])

  test('delegators stand under the transcoder they took from, voter or not', () => {
    expect(told(nestedRows(votes))).toEqual([
      ['t2', 0, 0, 0, '500'],
      ['t1', 0, 40, 2, '100'],
      ['d3', 1, 0, 0, '30'],
      ['d1', 1, 0, 0, '10'],
      ['t3', 0, 20, 1, 'absent'],
      ['d2', 1, 0, 0, '20'],
      ['alone', 0, 0, 0, '5'],
    ])
  })

  test('a filter keeps the transcoder of whom it leaves', () => {
    expect(told(nestedRows(votes, ({ choice }) => choice === 'AGAINST'))).toEqual([
      ['t1', 0, 40, 2, '100'],
      ['d3', 1, 0, 0, '30'],
      ['t3', 0, 20, 1, 'absent'],
      ['d2', 1, 0, 0, '20'],
    ])
  })

  test('no vote is lost, and each stands once', () => {
    const { told: many } = made('TREASURY', 7)
    const voters = nestedRows(many).flatMap(({ vote: own }) => own?.voter ?? [])
    expect(voters.sort()).toEqual(many.map(({ voter }) => voter).sort())
    expect(flatRows(many).map(({ key }) => key)).toEqual(many.map(({ voter }) => voter))
  })
})

test('the largest voters and what they have together', () => {
  const shares = (weights: bigint[]) => sharesBySize(weights.map((countedWeight) => ({ countedWeight })))
  expect(shares([1n, 5n, 0n, 3n])).toEqual({ sums: [5n, 8n, 9n], total: 9n, half: 1 })
  expect(shares([4n, 4n])).toEqual({ sums: [4n, 8n], total: 8n, half: 2 })
  expect(shares([0n])).toEqual({ sums: [], total: 0n, half: 0 })
})

describe('conditions in an address', () => {
  const A = account(1)
  const B = account(2)
  test.each([
    ['nothing', {}, NOTHING],
    ['what is no number', { quorumPartsPerMillion: '1e3', supportPartsPerMillion: '-1', round: 'x' }, NOTHING],
    ['more than all', { quorumPartsPerMillion: '1000001' }, NOTHING],
    ['nothing at all needed', { quorumPartsPerMillion: '0' }, { ...NOTHING, quorum: 0 }],
    ['truth', { strict: 'true', overrides: 'false' }, { ...NOTHING, strict: true, overrides: false }],
    ['what is no truth', { strict: '1', overrides: 'no' }, NOTHING],
    [
      'a voter twice',
      { without: `${A},${A}`, choices: `${A}=FOR,${B}=AGAINST,${B}=FOR` },
      { ...NOTHING, without: [A], choices: [{ voter: B, choice: 'AGAINST' }] },
    ],
    ['what is no address', { without: '0x1,<b>', choices: 'x=FOR' }, NOTHING],
    ['what is no choice', { choices: `${A}=MAYBE` }, NOTHING],
  ])('%s', (_, query: Record<string, string>, changes) => {
    expect(changesOf(query, 'TREASURY')).toEqual(changes)
  })

  test('what a system does not have is left out', () => {
    const query = { round: '5', overrides: 'false', choices: `${A}=ABSTAIN` }
    expect(changesOf(query, 'ARAGON')).toEqual(NOTHING)
    expect(changesOf(query, 'POLL')).toEqual({ ...NOTHING, round: 5, overrides: false })
  })

  test('one voter is dropped, turned, and as it was again', () => {
    const dropped = withChoice(NOTHING, A, 'NONE')
    expect(dropped).toEqual({ ...NOTHING, without: [A] })
    const turned = withChoice(dropped, A, 'FOR')
    expect(turned).toEqual({ ...NOTHING, choices: [{ voter: A, choice: 'FOR' }] })
    expect(withChoice(turned, A, 'AS_IT_WAS')).toEqual(NOTHING)
  })

  test.each([
    ['33.33', 333_300],
    ['0', 0],
    ['100', 1_000_000],
    ['0.0001', 1],
    ['5,5', 55_000],
    ['100.1', null],
    ['', null],
    ['1e2', null],
    ['-1', null],
    ['1.00001', null],
  ])('%s %', (text, parts) => {
    expect(partsOfPercent(text)).toBe(parts)
    if (parts !== null) expect(partsOfPercent(percentOfParts(parts))).toBe(parts)
  })
})
