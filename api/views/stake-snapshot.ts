import { ApiError } from '../facts/errors.ts'
import { byVotes, type Moment, type VotingPower } from '../rules/voting-power.ts'
import { dumpVotes, proveVotes, type VotesLeaf, type VotesProof } from './votes-tree.ts'

/** What a Merkle tree of nothing is given as its root. */
const NO_ROOT = `0x${'00'.repeat(32)}`

/** Everybody's stake and votes at the start of a round, or at the end of a block. */
export class StakeSnapshot {
  readonly #holders: readonly VotingPower[] | ApiError

  /**
   * `key` names what fixed it among all snapshots of all chains. `isComplete` is false where only the transcoders among the
   * holders are known: on Ethereum L1.
   */
  constructor(
    private readonly key: string,
    readonly moment: Moment,
    readonly totalActiveStake: bigint | ApiError,
    readonly totalStake: bigint | ApiError,
    powers: readonly VotingPower[] | ApiError,
    readonly isComplete: boolean,
  ) {
    this.#holders =
      powers instanceof ApiError
        ? powers
        : powers.filter(({ stake, votes }) => votes > 0n || (stake ?? 0n) > 0n).sort(byVotes)
  }

  /** How many holders it keeps in memory. */
  get size(): number {
    return this.#holders instanceof ApiError ? 0 : this.#holders.length
  }

  /** Accounts with stake or votes, most votes first; NOT_EXACT where an event contradicted the stake of one. */
  get holders(): readonly VotingPower[] {
    if (this.#holders instanceof ApiError) throw this.#holders
    return this.#holders
  }

  /** Root of the OpenZeppelin standard tree over (address, votes) of holders with votes; 32 zero bytes without any. */
  async merkleRoot(): Promise<string> {
    return this.#hasVotes ? (await proveVotes(this.key, () => this.#leaves())).root : NO_ROOT
  }

  /** The proof of a holder's votes; null for who has none. */
  async votesProof({ account, votes }: Pick<VotingPower, 'account' | 'votes'>): Promise<VotesProof | null> {
    return votes === 0n ? null : proveVotes(this.key, () => this.#leaves(), [account, votes])
  }

  /** The same tree, whole, as the JSON of OpenZeppelin's StandardMerkleTree.dump(); null where nobody has votes. */
  async votesTree(): Promise<string | null> {
    return this.#hasVotes ? dumpVotes(this.key, () => this.#leaves()) : null
  }

  get #hasVotes(): boolean {
    // Those with votes come first.
    return (this.holders[0]?.votes ?? 0n) > 0n
  }

  #leaves(): VotesLeaf[] {
    return this.holders.filter(({ votes }) => votes > 0n).map(({ account, votes }): VotesLeaf => [account, votes])
  }
}
