import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { StandardMerkleTree } from '@openzeppelin/merkle-tree'
import solc from 'solc'
import { describe, expect, test } from 'vitest'
import {
  checkProof,
  climb,
  differencesOf,
  leafOf,
  readProof,
  solidityOf,
  type VotesProof,
} from '../../web/proof/merkle-proof.ts'

/** Accounts with votes of any size, and the tree that OpenZeppelin's library makes of them. */
function treeOf(count: number) {
  const values = Array.from({ length: count }, (_, index): [string, string] => [
    `0x${((BigInt(index) + 1n) * 0x9e3779b97f4a7c15f39cc0605cedc834n).toString(16).padStart(40, '0').slice(-40)}`,
    String((BigInt(index) * 94464124870163276951900n) % 2n ** 250n),
  ])
  return StandardMerkleTree.of(values, ['address', 'uint256'])
}

function proofOf(tree: ReturnType<typeof treeOf>, index: number): VotesProof {
  const [account = '', votes = ''] = tree.at(index) ?? []
  return {
    ...{ account, votes: BigInt(votes), proof: tree.getProof(index), root: tree.root },
    ...{ leaf: tree.leafHash([account, votes]), round: 61, network: 'recorded' },
  }
}

/** As the API's file has it. */
function fileOf({ account, votes, proof, root, leaf, round, network }: VotesProof): Record<string, unknown> {
  const leafEncoding = ['address', 'uint256']
  return { network, round, leafEncoding, value: [account, String(votes)], root, leaf, proof }
}

describe.each([1, 2, 3, 7, 40, 129])('a tree of %i accounts', (count) => {
  const tree = treeOf(count)
  test.each([0, Math.floor(count / 2), count - 1])('leaf, path and root of account %i', (index) => {
    const proof = proofOf(tree, index)
    const { leaf, root, faults, steps } = checkProof(proof)
    expect({ leaf, root, faults, steps: steps.length }).toEqual({
      ...{ leaf: proof.leaf, root: tree.root, faults: [], steps: proof.proof.length },
    })
    expect(leafOf(proof.account.toUpperCase().replace('0X', '0x'), proof.votes)).toBe(proof.leaf)
  })
})

test('a step tells which of both is hashed first', () => {
  const [low, high] = [`0x${'0'.repeat(64)}`, `0x${'f'.repeat(64)}`]
  const [up] = climb(low, [high])
  const [down] = climb(high, [low])
  expect([up?.isFirst, down?.isFirst]).toEqual([true, false])
  expect(up?.result).toBe(down?.result)
})

describe('what is wrong is said', () => {
  const tree = treeOf(40)
  const right = proofOf(tree, 17)
  const other = `0x${'ab'.repeat(32)}`
  const [first = '', second = '', ...rest] = right.proof

  test.each<[string, VotesProof, readonly string[]]>([
    ['nothing', right, []],
    ['nothing without the leaf', { ...right, leaf: undefined }, []],
    [
      'votes one wei more',
      { ...right, votes: right.votes + 1n },
      ['The leaf is not the hash of', 'the account or its votes were changed'],
    ],
    ['another leaf', { ...right, leaf: other }, ['The leaf is not the hash of']],
    ['another hash', { ...right, proof: [other, second, ...rest] }, ['The path ends at']],
    ['another root', { ...right, root: other }, ['The path ends at']],
    ['one hash less', { ...right, proof: right.proof.slice(1) }, ['The path ends at']],
    [
      'one hash more',
      { ...right, proof: [first, other, second, ...rest] },
      ['one hash too many: without the one at 2'],
    ],
    ['two swapped', { ...right, proof: [second, first, ...rest] }, ['The hashes 1 and 2 of the path stand in each']],
  ])('%s', (_, proof, expected) => {
    expect(checkProof(proof).faults).toEqual(expected.map((text) => expect.stringContaining(text)))
  })

  test('against the proof of the same account and round', () => {
    expect(differencesOf(right, right)).toEqual([])
    expect(differencesOf({ ...right, votes: 1n, root: other, proof: [other] }, right)).toEqual([
      `It says 1 wei of votes; they were ${right.votes}`,
      `Its root is ${other}; that of the round is ${right.root}`,
      `Its path has 1 hashes; it should have ${right.proof.length}`,
      `Hash 1 of its path should be ${first}`,
    ])
  })

  test.each<[string, unknown, readonly string[]]>([
    ['text', 'x', ['This is not JSON']],
    ['a list', [], ['This is not a JSON object']],
    ['nothing', {}, ['no "value"', 'no address', 'no whole number', 'no "proof"', 'no "root"']],
    ['a votes number that lost digits', { ...fileOf(right), value: [right.account, 1e22] }, ['no whole number']],
    ['votes beyond 256 bits', { ...fileOf(right), value: [right.account, String(2n ** 256n)] }, ['no whole number']],
    ['a short account', { ...fileOf(right), value: ['0x12', '1'] }, ['no address']],
    ['a short hash', { ...fileOf(right), proof: [first, '0x12'] }, ['Hash 2 of the path is not 32 bytes']],
    ['a very long path', { ...fileOf(right), proof: Array(65).fill(first) }, ['no tree is that high']],
    ['another encoding', { ...fileOf(right), leafEncoding: ['address'] }, ['another kind of tree']],
    ['a root that is none', { ...fileOf(right), root: 5 }, ['The root is not 32 bytes']],
    ['a leaf that is none', { ...fileOf(right), leaf: '0x' }, ['The leaf is not 32 bytes']],
  ])('%s', (_, told, expected) => {
    const read = readProof(typeof told === 'string' ? told : JSON.stringify(told))
    expect(read).toEqual(expected.map((text) => expect.stringContaining(text)))
  })

  test('the API’s file is read whole, in any letter case', () => {
    expect(readProof(JSON.stringify(fileOf(right)))).toEqual(right)
    const shouted = JSON.stringify(fileOf(right)).replace(/0x[0-9a-f]+/g, (hex) => `0x${hex.slice(2).toUpperCase()}`)
    expect(readProof(shouted)).toEqual(right)
  })
})

test('the Solidity compiles, with every hash in its place', () => {
  const proof = proofOf(treeOf(3), 0)
  const text = solidityOf(proof)
  expect(text).toContain(`bytes32 root = ${proof.root}; // round 61 of recorded`)
  for (const [index, sibling] of proof.proof.entries()) expect(text).toContain(`proof[${index}] = ${sibling};`)
  const source = `// SPDX-License-Identifier: MIT
    pragma solidity ^0.8.20;
    ${text.replace(/^\/\/ import/, 'import').replace('\n', '\ncontract Paying { function pay() external pure {\n')}
  } }`
  const input = { language: 'Solidity', sources: { 'a.sol': { content: source } }, settings: { outputSelection: {} } }
  const require = createRequire(import.meta.url)
  const { errors = [] } = JSON.parse(
    solc.compile(JSON.stringify(input), {
      import: (path: string) => ({ contents: readFileSync(require.resolve(path), 'utf8') }),
    }),
  ) as { errors?: { formattedMessage: string }[] }
  expect(errors).toEqual([])
})
