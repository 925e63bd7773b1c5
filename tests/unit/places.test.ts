import { describe, expect, test } from 'vitest'
import { proposalsVariables } from '../../web/places.ts'

describe('what an address of the list of proposals asks for', () => {
  test.each<[string, object]>([
    ['', {}],
    ['system=TREASURY', { filter: { system: ['TREASURY'] } }],
    ['system=aragon,poll', { filter: { system: ['POLL', 'ARAGON'] } }],
    ['system=treasury,nothing', { filter: { system: ['TREASURY'] } }],
    ['system=nothing', {}],
    ['system=&state=&q=&order=', {}],
    ['state=executed,DEFEATED', { filter: { state: ['DEFEATED', 'EXECUTED'] } }],
    ['order=ends_asc', { orderBy: 'ENDS_ASC' }],
    ['order=ENDS', {}],
    ['q=50+%25+%F0%9F%9A%80', { filter: { search: '50 % 🚀' } }],
    ['proposer=0xA&voter=0xb', { filter: { proposer: '0xA', voter: '0xb' } }],
    [
      'from=2026-01-01T00:00:00Z&to=2026-02-01T00:00:00Z',
      { filter: { createdAfter: '2026-01-01T00:00:00Z', createdBefore: '2026-02-01T00:00:00Z' } },
    ],
    ['network=recorded-2&unknown=1', { filter: { network: 'recorded-2' } }],
  ])('?%s', (search, asked) => {
    const query = Object.fromEntries(new URLSearchParams(search))
    expect(proposalsVariables({ query })).toEqual({ first: 50, filter: {}, orderBy: 'CREATED_DESC', ...asked })
  })

  test('a further page is asked for by its cursor', () => {
    expect(proposalsVariables({ query: {} }, 'abc')).toEqual({
      first: 50,
      filter: {},
      orderBy: 'CREATED_DESC',
      after: 'abc',
    })
  })
})
