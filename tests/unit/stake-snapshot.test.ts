import { StandardMerkleTree } from '@openzeppelin/merkle-tree'
import { expect, test } from 'vitest'
import { votingPower } from '../../api/rules/voting-power.ts'
import { StakeSnapshot } from '../../api/views/stake-snapshot.ts'
import { startOf } from './stakes.ts'

const address = (digit: string) => `0x${digit.repeat(40)}`
const power = (digit: string, votes: bigint, stake: bigint) => ({
  ...votingPower(address(digit), startOf(9), undefined, undefined, false),
  votes,
  stake,
})

test('holders are those with stake or votes, most votes first', () => {
  const snapshot = new StakeSnapshot(
    'test',
    startOf(9),
    30n,
    40n,
    [power('3', 0n, 5n), power('1', 0n, 0n), power('2', 7n, 7n)],
    true,
  )
  expect(snapshot.holders.map(({ account }) => account)).toEqual([address('2'), address('3')])
})

test('the Merkle root is that of the standard tree over holders with votes', async () => {
  const snapshot = new StakeSnapshot(
    'test',
    startOf(9),
    30n,
    40n,
    [power('3', 0n, 5n), power('2', 7n, 7n), power('4', 8n, 8n)],
    true,
  )
  const tree = StandardMerkleTree.of(
    [
      [address('2'), 7n],
      [address('4'), 8n],
    ],
    ['address', 'uint256'],
  )
  expect(await snapshot.merkleRoot()).toBe(tree.root)
})

test('who has votes can be proven, who has none cannot', async () => {
  const snapshot = new StakeSnapshot(
    'test',
    startOf(9),
    30n,
    40n,
    [power('3', 0n, 5n), power('2', 7n, 7n), power('4', 8n, 8n)],
    true,
  )
  const proof = await snapshot.votesProof({ account: address('2'), votes: 7n })
  const root = await snapshot.merkleRoot()
  expect(proof?.root).toBe(root)
  expect(StandardMerkleTree.verify(root, ['address', 'uint256'], [address('2'), 7n], proof?.proof ?? [])).toBe(true)
  expect(StandardMerkleTree.verify(root, ['address', 'uint256'], [address('2'), 8n], proof?.proof ?? [])).toBe(false)
  expect(await snapshot.votesProof({ account: address('3'), votes: 0n })).toBeNull()
})

test('the whole tree is the dump of the standard one, with amounts as text; there is none without votes', async () => {
  const powers = [power('3', 0n, 5n), power('2', 7n, 7n), power('4', 8n, 8n)]
  const snapshot = new StakeSnapshot('dump', startOf(9), 30n, 40n, powers, true)
  const leaves = [
    [address('4'), '8'],
    [address('2'), '7'],
  ]
  const tree = StandardMerkleTree.of(leaves, ['address', 'uint256'])
  expect(JSON.parse((await snapshot.votesTree()) ?? '')).toEqual(tree.dump())
  expect(await new StakeSnapshot('nobody', startOf(9), 0n, 0n, [power('3', 0n, 5n)], true).votesTree()).toBeNull()
})

test('without votes the Merkle root is 32 zero bytes', async () => {
  expect(await new StakeSnapshot('none', startOf(9), 0n, 0n, [power('3', 0n, 5n)], true).merkleRoot()).toBe(
    `0x${'0'.repeat(64)}`,
  )
})
