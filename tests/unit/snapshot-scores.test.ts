import { describe, expect, test } from 'vitest'
import { readScoresQuestion, scoresJson, scoresOfAsked, scoresOfHolders } from '../../api/files/snapshot-scores.ts'
import { type VotingPower, votingPower } from '../../api/rules/voting-power.ts'
import { startOf } from './stakes.ts'

const address = (digit: string) => `0x${digit.repeat(40)}`
const [TRANSCODER, DELEGATOR, OTHER, STRANGER] = ['a', 'b', 'c', 'd'].map(address) as [string, string, string, string]

const POWERS: Record<string, Partial<VotingPower>> = {
  [TRANSCODER]: { votes: 100n, delegate: TRANSCODER, isTranscoder: true },
  [DELEGATOR]: { votes: 30n, delegate: TRANSCODER },
  [OTHER]: { votes: 7n, delegate: TRANSCODER },
}
const powerOf = (account: string): VotingPower => ({
  ...votingPower(account, startOf(9), undefined, undefined, false),
  ...POWERS[account],
})

const asked = (addresses: string[], overrides = false) =>
  scoresOfAsked({ addresses, overrides }, powerOf).map(({ score }) => score)

describe('scores', () => {
  test('are of those asked, in their order, 0 for who was never seen', () => {
    expect(scoresOfAsked({ addresses: [STRANGER, DELEGATOR, TRANSCODER], overrides: false }, powerOf)).toEqual([
      { address: STRANGER, score: 0n },
      { address: DELEGATOR, score: 30n },
      { address: TRANSCODER, score: 100n },
    ])
    expect(asked([])).toEqual([])
  })

  test('with overrides, a transcoder has less by its delegators among them, each once', () => {
    expect(asked([TRANSCODER], true)).toEqual([100n])
    expect(asked([TRANSCODER, DELEGATOR], true)).toEqual([70n, 30n])
    expect(asked([OTHER, DELEGATOR, TRANSCODER, STRANGER], true)).toEqual([7n, 30n, 63n, 0n])
    expect(asked([DELEGATOR, DELEGATOR.toUpperCase().replace('X', 'x'), TRANSCODER, TRANSCODER], true)).toEqual([
      30n,
      30n,
      70n,
      70n,
    ])
    expect(asked([DELEGATOR, OTHER], true)).toEqual([30n, 7n])
  })

  test('have the spelling that was asked for', () => {
    const spelled = DELEGATOR.replace('bb', 'Bb')
    expect(scoresOfAsked({ addresses: [spelled, DELEGATOR], overrides: false }, powerOf)).toEqual([
      { address: spelled, score: 30n },
      { address: DELEGATOR, score: 30n },
    ])
  })

  test('of holders leave out who has none', () => {
    expect(scoresOfHolders([TRANSCODER, STRANGER, OTHER].map(powerOf))).toEqual([
      { address: TRANSCODER, score: 100n },
      { address: OTHER, score: 7n },
    ])
  })

  test.each([0, 1, 499, 500, 501, 1000])('of %i accounts are one JSON', (count) => {
    const scores = Array.from({ length: count }, (_, index) => ({ address: `0x${index}`, score: 10n ** 30n }))
    expect(JSON.parse([...scoresJson(scores)].join(''))).toEqual({
      score: scores.map((score) => ({ ...score, score: '1000000000000000000000000000000' })),
    })
  })
})

describe('a question', () => {
  const right = { options: { api: 'https://x' }, network: '42161', snapshot: 321_512_747, addresses: [TRANSCODER] }

  test.each([
    [right, { chainId: '42161', block: 321_512_747, addresses: [TRANSCODER], overrides: false }],
    [{ ...right, snapshot: 'latest' }, { block: null }],
    [{ ...right, snapshot: 0 }, { block: 0 }],
    [{ ...right, options: undefined }, { overrides: false }],
    [{ ...right, options: { overrides: true } }, { overrides: true }],
    [{ ...right, addresses: Array(1000).fill(TRANSCODER) }, { addresses: Array(1000).fill(TRANSCODER) }],
    [{ ...right, space: 'livepeer.eth' }, { chainId: '42161' }],
  ])('is read: %j', (body, question) => {
    expect(readScoresQuestion(body)).toMatchObject(question)
  })

  test.each([
    [undefined, 'the body does not fit'],
    [null, 'the body does not fit'],
    [[], 'the body does not fit'],
    [{}, 'network does not fit'],
    [{ ...right, network: 42161 }, 'network does not fit'],
    [{ ...right, network: 'arbitrum-one' }, 'network does not fit'],
    [{ ...right, network: '9'.repeat(21) }, 'network does not fit'],
    [{ ...right, snapshot: undefined }, 'snapshot does not fit'],
    [{ ...right, snapshot: '480' }, 'snapshot does not fit'],
    [{ ...right, snapshot: -1 }, 'snapshot does not fit'],
    [{ ...right, snapshot: 1.5 }, 'snapshot does not fit'],
    [{ ...right, snapshot: 2 ** 53 }, 'snapshot does not fit'],
    [{ ...right, options: [] }, 'options does not fit'],
    [{ ...right, options: null }, 'options does not fit'],
    [{ ...right, options: { overrides: 'true' } }, 'options.overrides does not fit'],
    [{ ...right, addresses: TRANSCODER }, 'addresses does not fit'],
    [{ ...right, addresses: Array(1001).fill(TRANSCODER) }, '1,001 addresses are given, at most 1,000'],
    [{ ...right, addresses: [TRANSCODER, '0x12'] }, 'addresses[1] does not fit'],
    [{ ...right, addresses: [7] }, 'addresses[0] does not fit'],
    [{ ...right, addresses: [`0X${'a'.repeat(40)}`] }, 'addresses[0] does not fit'],
  ])('that does not fit is refused with a word: %j', (body, message) => {
    expect(() => readScoresQuestion(body)).toThrow(
      expect.objectContaining({ code: 'BAD_USER_INPUT', message: expect.stringContaining(message) }),
    )
  })
})
