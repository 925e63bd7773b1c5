import { describe, expect, test } from 'vitest'
import {
  type AragonFigures,
  aragonQuorum,
  aragonState,
  canExecute,
  isAragonQuorumReached,
  isDecidedEarly,
  isSupportReached,
  isVoteOpen,
} from '../../api/rules/aragon-tally.ts'
import { aragonRule } from '../../api/rules/counting-rule.ts'
import type { VoteCast } from '../../api/rules/proposal.ts'
import { aragonCounting, choicesOf, countWithBallots } from '../../api/rules/proposal-count.ts'

const TDT = 10n ** 18n
const HALF = 5n * 10n ** 17n
const WEEK = 604_800n
const START = 1_564_000_000n
const END = START + WEEK

/** The TranscoderDAO's rule: 100 TDT, 50 % and 50 %, a week. */
const vote = (fields: Partial<AragonFigures>): AragonFigures => ({
  yea: 0n,
  nay: 0n,
  votingPower: 100n * TDT,
  supportRequired: HALF,
  minAcceptQuorum: HALF,
  strict: true,
  startDate: START,
  voteTime: WEEK,
  executed: false,
  ...fields,
})

describe('the strict rule at its edges', () => {
  test.each([
    ['exactly half', 50n * TDT, false],
    ['half and 99 wei, which rounding does not see', 50n * TDT + 99n, false],
    ['half and 100 wei, the least that counts', 50n * TDT + 100n, true],
  ])('of 100 TDT, %s: %s', (_, yea, passes) => {
    expect(isDecidedEarly(vote({ yea }))).toBe(passes)
    expect(isAragonQuorumReached(vote({ yea }))).toBe(passes)
    expect(canExecute(vote({ yea }), START)).toBe(passes)
    expect(canExecute(vote({ yea }), END)).toBe(passes)
    expect(aragonState(vote({ yea }), END)).toBe(passes ? 'SUCCEEDED' : 'DEFEATED')
  })

  test('the least quorum is the least yea that reaches it', () => {
    for (const votingPower of [100n * TDT, 100n * TDT + 7n, 3n, 1n]) {
      for (const minAcceptQuorum of [0n, 1n, HALF, HALF - 1n, 10n ** 18n - 1n]) {
        const least = aragonQuorum(vote({ votingPower, minAcceptQuorum }))
        expect(isAragonQuorumReached(vote({ votingPower, minAcceptQuorum, yea: least }))).toBe(true)
        expect(isAragonQuorumReached(vote({ votingPower, minAcceptQuorum, yea: least - 1n }))).toBe(false)
      }
    }
    expect(aragonQuorum(vote({}))).toBe(50n * TDT + 100n)
  })

  test('a tie of votes cast fails, and so does nothing at all', () => {
    expect(isSupportReached(vote({ yea: 30n * TDT, nay: 30n * TDT }))).toBe(false)
    expect(isSupportReached(vote({}))).toBe(false)
    expect(isDecidedEarly(vote({ votingPower: 0n }))).toBe(false)
  })

  test('a rule that is not strict lets a tie pass, in what is cast and in all there is, but nothing of nothing', () => {
    const tie = vote({ yea: 50n * TDT, nay: 50n * TDT, strict: false })
    expect([isSupportReached(tie), isDecidedEarly(tie)]).toEqual([true, true])
    const short = vote({ yea: 50n * TDT - 1n, nay: 50n * TDT, strict: false })
    expect([isSupportReached(short), isDecidedEarly(short)]).toEqual([false, false])
    expect(isSupportReached(vote({ strict: false }))).toBe(false)
    expect(isAragonQuorumReached(tie)).toBe(false)
  })

  test('nays do not help the quorum: support reached, quorum of yeas not', () => {
    const figures = vote({ yea: 40n * TDT, nay: 39n * TDT })
    expect([isSupportReached(figures), isAragonQuorumReached(figures)]).toEqual([true, false])
    expect(canExecute(figures, END)).toBe(false)
    expect(aragonState(figures, END)).toBe('DEFEATED')
  })
})

describe('time', () => {
  const passing = vote({ yea: 30n * TDT, nay: 10n * TDT, minAcceptQuorum: TDT / 4n })

  test('is over at exactly the end', () => {
    expect([isVoteOpen(passing, END - 1n), isVoteOpen(passing, END)]).toEqual([true, false])
    expect([canExecute(passing, END - 1n), canExecute(passing, END)]).toEqual([false, true])
    expect([aragonState(passing, END - 1n), aragonState(passing, END)]).toEqual(['ACTIVE', 'SUCCEEDED'])
  })

  test('a passed vote stays executable, an executed one is closed and not executable again', () => {
    expect(canExecute(passing, END + 1_000_000_000n)).toBe(true)
    const executed = { ...passing, executed: true }
    expect([isVoteOpen(executed, START), canExecute(executed, END)]).toEqual([false, false])
    expect(aragonState(executed, START)).toBe('EXECUTED')
  })

  test('a vote that can be executed early is still ACTIVE', () => {
    const decided = vote({ yea: 51n * TDT })
    expect([canExecute(decided, START), aragonState(decided, START)]).toEqual([true, 'ACTIVE'])
  })
})

describe('a count', () => {
  const terms = {
    votingPower: 100n * TDT,
    supportRequired: HALF,
    minAcceptQuorum: HALF,
    startDate: START,
    voteTime: WEEK,
  }
  const countAragonVote = (
    { executed, ...fields }: typeof terms & { executed: boolean },
    casts: VoteCast[],
    now: bigint,
  ) => {
    const { votingPower: electorate, supportRequired, minAcceptQuorum, startDate, voteTime } = fields
    const rule = aragonRule({ supportRequired, minAcceptQuorum })
    const fixed = { rule, electorate, startDate, voteTime, now, executedAt: executed ? now : null }
    const choices = choicesOf('ARAGON', casts)
    const electorOf = () => ({ power: 0n, transcoder: null })
    return countWithBallots(aragonCounting({ ...fixed, electorOf }, choices), choices)
  }
  const cast = (voter: string, choice: bigint, weight: bigint, block: number): VoteCast => ({
    voter,
    choice,
    valid: true,
    weight,
    reason: null,
    at: { block, logIndex: 0, timestamp: Number(START), transactionHash: '0x', round: 0 },
  })

  test('an early decision is undone by a changed vote', () => {
    const casts = [cast('0xa', 1n, 30n * TDT, 1), cast('0xb', 1n, 25n * TDT, 2), cast('0xb', 0n, 25n * TDT, 3)]
    const before = countAragonVote({ ...terms, executed: false }, casts.slice(0, 2), START)
    const after = countAragonVote({ ...terms, executed: false }, casts, START)
    expect(before.sums).toEqual({ for: 55n * TDT, against: 0n, abstain: 0n })
    expect(after.sums).toEqual({ for: 30n * TDT, against: 25n * TDT, abstain: 0n })
    expect([before.quorumReached, after.quorumReached]).toEqual([true, false])
    expect(countAragonVote({ ...terms, executed: false }, casts, END).state).toBe('DEFEATED')
    expect(after.ballots.map(({ voter, choice, earlier }) => [voter, choice, earlier.length])).toEqual([
      ['0xa', 'FOR', 0],
      ['0xb', 'AGAINST', 1],
    ])
  })

  test('voting the same side again counts once', () => {
    const casts = [cast('0xa', 1n, 30n * TDT, 1), cast('0xa', 1n, 30n * TDT, 2)]
    expect(countAragonVote({ ...terms, executed: false }, casts, START).sums.for).toBe(30n * TDT)
  })

  test('goes by the settings of the vote, whatever they are now', () => {
    const casts = [cast('0xa', 1n, 60n * TDT, 1)]
    const strict = {
      ...terms,
      supportRequired: (68n * TDT) / 100n,
      minAcceptQuorum: (61n * TDT) / 100n,
      executed: false,
    }
    expect(countAragonVote(strict, casts, END)).toMatchObject({
      state: 'DEFEATED',
      supportReached: true,
      quorumReached: false,
    })
    expect(countAragonVote({ ...terms, executed: false }, casts, END)).toMatchObject({
      state: 'SUCCEEDED',
      passed: true,
    })
  })

  test('is undecided while it is open, and passed once executed', () => {
    const casts = [cast('0xa', 1n, 60n * TDT, 1)]
    expect(countAragonVote({ ...terms, executed: false }, casts, START).passed).toBeNull()
    expect(countAragonVote({ ...terms, executed: true }, casts, START).passed).toBe(true)
  })
})
