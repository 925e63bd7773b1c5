import { describe, expect, test } from 'vitest'
import { gapsOf, networkAt, spanOf } from '../../web/parts/round-span.ts'
import { accountOf, roundOf, roundsOf } from '../../web/places.ts'

const arbitrum = { network: 'arbitrum-one', firstRound: 2467, round: 4012 }
const mainnet = { network: 'mainnet', firstRound: 858, round: 2470 }
const dao = { network: 'aragon', firstRound: null, round: null }

describe('the rounds that a slider goes over', () => {
  test.each([
    {
      of: 'L1 and Arbitrum: on over the border, to what stands now',
      chains: [mainnet, dao, arbitrum],
      latest: 'arbitrum-one',
      named: undefined,
      span: { first: 858, last: 4013, network: 'arbitrum-one', border: { at: 2467, before: 'mainnet' } },
    },
    {
      of: 'one chain named: its own, those after the border too',
      chains: [mainnet, arbitrum],
      latest: 'arbitrum-one',
      named: 'mainnet',
      span: { first: 858, last: 2471, network: 'mainnet', border: undefined },
    },
    {
      of: 'one chain only',
      chains: [arbitrum, dao],
      latest: 'arbitrum-one',
      named: undefined,
      span: { first: 2467, last: 4013, network: 'arbitrum-one', border: undefined },
    },
    { of: 'a chain without rounds', chains: [dao], latest: undefined, named: 'aragon', span: undefined },
    { of: 'a name that no chain has', chains: [arbitrum], latest: 'arbitrum-one', named: 'nowhere', span: undefined },
  ])('$of', ({ chains, latest, named, span }) => {
    expect(spanOf(chains, latest, named)).toEqual(span)
  })

  test('each round is of the chain on its side of the border', () => {
    const span = spanOf([mainnet, arbitrum], 'arbitrum-one', undefined)
    if (span === undefined) throw new Error('no span')
    expect([2466, 2467].map((round) => networkAt(span, round))).toEqual(['mainnet', 'arbitrum-one'])
  })

  test.each([
    { of: 'none missing', rounds: [5, 6, 7], gaps: [] },
    { of: 'some in between, as runs', rounds: [5, 8], gaps: [[6, 7]] },
    {
      of: 'before the first and after the last that is there',
      rounds: [6],
      gaps: [
        [5, 5],
        [7, 7],
      ],
    },
    { of: 'those of other spans do not count', rounds: [1, 5, 6, 7, 8, 9], gaps: [] },
    { of: 'all', rounds: [], gaps: [[5, 7]] },
  ])('rounds nobody initialised: $of', ({ rounds, gaps }) => {
    // 8 is as things stand now.
    expect(gapsOf(rounds, { first: 5, last: 8 })).toEqual(gaps)
  })
})

describe('what addresses ask for', () => {
  test.each([
    ['84', 84],
    ['0', 0],
    ['-1', undefined],
    ['1e3', undefined],
    ['99999999999', undefined],
    ['61...84', undefined],
    [undefined, undefined],
  ])('a round: %s', (text, round) => expect(roundOf(text)).toBe(round))

  test.each([
    ['61...84', { from: 61, to: 84 }],
    ['61..84', undefined],
    ['61...', undefined],
    ['84', undefined],
  ])('two rounds: %s', (text, rounds) => expect(roundsOf(text)).toEqual(rounds))

  test.each([
    [`0x${'aB'.repeat(20)}`, `0x${'ab'.repeat(20)}`],
    ['0x12', undefined],
    [undefined, undefined],
  ])('an account: %s', (text, account) => expect(accountOf(text)).toBe(account))
})
