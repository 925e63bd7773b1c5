import { StandardMerkleTree } from '@openzeppelin/merkle-tree'
import { byVotes, type VotingPower } from '../rules/voting-power.ts'

/** What a Merkle tree of nothing is given as its root. */
const NO_ROOT = `0x${'00'.repeat(32)}`

/** How OpenZeppelin's standard tree encodes a leaf: whose votes, and how many wei. */
export const LEAF_ENCODING = ['address', 'uint256'] as const

type VotesTree = StandardMerkleTree<[string, bigint]>

/** What proves an account's votes against the Merkle root, with OpenZeppelin's MerkleProof.verify. */
export interface VotesProof {
  root: string
  /** Hash of (account, votes). */
  leaf: string
  proof: string[]
}

/** Everybody's stake and votes at the start of a round. */
export class StakeSnapshot {
  /** Accounts with stake or votes, most votes first. */
  readonly holders: readonly VotingPower[]
  #votesTree: VotesTree | null | undefined

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
    return this.#tree?.root ?? NO_ROOT
  }

  /** The proof of a holder's votes; null for who has none. */
  votesProof({ account, votes }: Pick<VotingPower, 'account' | 'votes'>): VotesProof | null {
    const tree = this.#tree
    if (tree === null || votes === 0n) return null
    const leaf: [string, bigint] = [account, votes]
    return { root: tree.root, leaf: tree.leafHash(leaf), proof: tree.getProof(leaf) }
  }

  /** Null without votes. */
  get #tree(): VotesTree | null {
    // Hashing thousands of leaves takes longer than all the rest of a snapshot, and few ask for it.
    if (this.#votesTree === undefined) this.#votesTree = votesTree(this.holders)
    return this.#votesTree
  }
}

function votesTree(holders: readonly VotingPower[]): VotesTree | null {
  const leaves = holders
    .filter(({ votes }) => votes > 0n)
    .map(({ account, votes }): [string, bigint] => [account, votes])
  return leaves.length === 0 ? null : StandardMerkleTree.of(leaves, [...LEAF_ENCODING])
}
