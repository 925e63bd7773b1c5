import { StandardMerkleTree } from '@openzeppelin/merkle-tree'
import { byVotes, type VotingPower } from './voting-power.ts'

/** What a Merkle tree of nothing is given as its root. */
const NO_ROOT = `0x${'00'.repeat(32)}`

/** Everybody's stake and votes at the start of a round. */
export class StakeSnapshot {
  /** Accounts with stake or votes, most votes first. */
  readonly holders: readonly VotingPower[]
  #merkleRoot: string | undefined

  /** `isComplete` is false where only the transcoders among the holders are known: on Ethereum L1. */
  constructor(
    readonly round: number,
    readonly totalActiveStake: bigint,
    readonly totalStake: bigint,
    powers: readonly VotingPower[],
    readonly isComplete: boolean,
  ) {
    this.holders = powers.filter(({ stake, votes }) => votes > 0n || (stake ?? 0n) > 0n).sort(byVotes)
  }

  /** Root of the OpenZeppelin standard tree over (address, votes) of holders with votes; 32 zero bytes without any. */
  get merkleRoot(): string {
    // Hashing thousands of leaves takes longer than all the rest of a snapshot, and few ask for it.
    this.#merkleRoot ??= merkleRoot(this.holders)
    return this.#merkleRoot
  }
}

function merkleRoot(holders: readonly VotingPower[]): string {
  const leaves = holders
    .filter(({ votes }) => votes > 0n)
    .map(({ account, votes }): [string, bigint] => [account, votes])
  return leaves.length === 0 ? NO_ROOT : StandardMerkleTree.of(leaves, ['address', 'uint256']).root
}
