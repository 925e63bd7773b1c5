import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import * as contracts from '../../api/verification/contracts.ts'
import { callsFor, whyNotAsked } from '../../web/verify/calls.ts'

/** Functions that a source file of the verification reads. */
function readIn(file: string): string[] {
  const source = readFileSync(new URL(`../../api/verification/${file}.ts`, import.meta.url), 'utf8')
  return [...source.matchAll(/functionName: '(\w+)'/g)].map(([, name = '']) => name)
}

describe('what is told to be asked is what is asked', () => {
  const named = (id: string | undefined) =>
    callsFor(id === undefined ? { kind: 'ROUND' } : { kind: 'PROPOSAL', id })
      .flatMap(({ functions }) => functions)
      .map((text) => /^\w+/.exec(text)?.[0] ?? '')
      .filter((name) => !name.startsWith('eth_'))
  test.each([
    // clock is asked of blocks only.
    [undefined, readIn('snapshot').filter((name) => name !== 'clock')],
    ['treasury:1', readIn('treasury-proposal')],
    ['poll:0x1', readIn('poll')],
    ['aragon:0x1:2', readIn('aragon-vote')],
  ])('%s', (id, functions) => {
    expect([...new Set(named(id))].sort()).toEqual([...new Set(functions)].sort())
    const known = JSON.stringify(Object.values(contracts).filter((value) => Array.isArray(value)))
    for (const name of functions) expect(known).toContain(`"${name}"`)
  })
  test('of an id of no system only the node', () => {
    expect(named('nothing')).toEqual([])
  })
})

test.each([
  ['https://rpc.example', undefined],
  ['http://127.0.0.1:8545', undefined],
  ['http://localhost:8545/x', undefined],
  ['http://rpc.example', 'Over http only a node on your own machine'],
  ['http://127.0.0.1.example', 'Over http only a node on your own machine'],
  ['ws://127.0.0.1:8545', 'Only https can be asked'],
  ['javascript:alert(1)', 'Only https can be asked'],
  ['rpc', 'no address'],
])('%s may be asked, or not and why', (url, why) => {
  if (why === undefined) expect(whyNotAsked(url)).toBeUndefined()
  else expect(whyNotAsked(url)).toContain(why)
})
