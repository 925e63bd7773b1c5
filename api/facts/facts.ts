import { AragonFacts, type AragonLayer, aragonLists, newAragonLayer } from './aragon.ts'
import { GovernanceFacts, type GovernanceLayer, governanceLists, newGovernanceLayer } from './governance.ts'
import type { EntityOf, ListName, ListReader, Lists, Names } from './lists.ts'
import { newStakeLayer, type RoundFacts, StakeFacts, type StakeLayer, stakeLists } from './stake.ts'
import { newTreasuryLayer, TreasuryFacts, type TreasuryLayer, treasuryLists } from './treasury.ts'

/** Everything that some blocks made so. */
interface Layer extends StakeLayer, GovernanceLayer, AragonLayer, TreasuryLayer {}

/** Where an index stands. */
export interface Head {
  block: number
  /** Null for a block in the past whose hash is not known. */
  blockHash: string | null
  /** Unix seconds; null where nothing tells it. */
  timestamp: number | null
  /** graph-node's id of the deployed subgraph. */
  deployment: string
  hasIndexingErrors: boolean
}

/** What no list tells, as of the head. */
export interface Totals {
  /** Active stake of the round that comes next, wei, as things stand. */
  nextRoundTotalActiveStake: bigint
  totalStake: bigint
  roundsManager: string | null
  /** Whether the chain's own block numbers end polls, as far as an event while one was open has told. */
  ownBlocksEndPolls: boolean
  /** Ethereum L1's stake: the first round that began under Streamflow, null under V1. Null on Arbitrum. */
  l1: { streamflowRound: number | null } | null
}

const READERS: { [Name in ListName]: ListReader<Name, Layer> } = {
  ...stakeLists,
  ...governanceLists,
  ...aragonLists,
  ...treasuryLists,
}

/** The names of all lists, in the order they are read. */
export const LIST_NAMES = Object.keys(READERS) as ListName[]

/** The block from which on an entity of a list is so. */
export function blockOf<Name extends ListName>(name: Name, entity: EntityOf<Name>): number {
  return READERS[name].blockOf(entity)
}

/** The facts of one chain, as they come in: those of blocks up to a mark for good, those above it until the next step. */
export class HeldFacts {
  #final = newLayer()
  #tail = newLayer()
  #mark = -1
  #finalCount = 0
  #tailCount = 0

  constructor(private readonly names: Names) {}

  /** The last block whose facts are final; -1 before any. */
  get mark(): number {
    return this.#mark
  }

  /** How many facts are held. */
  get count(): number {
    return this.#finalCount + this.#tailCount
  }

  /** Takes what blocks from the mark up to a new one made so, for good. Unseen by those who read facts as of now. */
  addFinal(lists: Lists, mark: number): void {
    this.#finalCount += this.#hold(lists, this.#final, undefined)
    this.#mark = mark
  }

  /** Takes all that blocks above the mark made so, in place of what was taken before. */
  replaceTail(lists: Lists): void {
    this.#tail = newLayer()
    this.#tailCount = this.#hold(lists, this.#tail, this.#final)
  }

  /** All of it as of a head. */
  asOf(head: Head, totals: Totals): Facts {
    return new Facts(this.#final, this.#tail, this.#mark, head, head.block, totals)
  }

  #hold(lists: Lists, layer: Layer, below: Layer | undefined): number {
    const hold = <Name extends ListName>(name: Name) => {
      const reader: ListReader<Name, Layer> = READERS[name]
      const entities: readonly EntityOf<Name>[] = lists[name]
      return entities.reduce((count, entity) => count + reader.hold(entity, layer, below, this.names), 0)
    }
    return LIST_NAMES.reduce((count, name) => count + hold(name), 0)
  }
}

function newLayer(): Layer {
  return { ...newStakeLayer(), ...newGovernanceLayer(), ...newAragonLayer(), ...newTreasuryLayer() }
}

/** Everything the subgraph of one chain recorded, as of the end of one block; it never changes. */
export class Facts {
  readonly stake: StakeFacts
  readonly governance: GovernanceFacts
  readonly aragon: AragonFacts
  readonly treasury: TreasuryFacts
  readonly #atHead: Totals
  #totals: Totals | undefined

  constructor(
    private readonly final: Layer,
    private readonly tail: Layer,
    /** The last block whose facts no reorganisation changes. */
    readonly mark: number,
    readonly head: Head,
    private readonly latestBlock: number,
    totals: Totals,
  ) {
    const { block } = head
    this.stake = new StakeFacts(final, tail, mark, block)
    this.governance = new GovernanceFacts(final, tail, mark, block)
    this.aragon = new AragonFacts(final, tail, mark, block)
    this.treasury = new TreasuryFacts(final, tail, mark, block)
    this.#atHead = totals
  }

  /** The same as of an earlier block. */
  asOf(at: Pick<Head, 'block' | 'blockHash' | 'timestamp'> & Partial<Head>): Facts {
    return new Facts(this.final, this.tail, this.mark, { ...this.head, ...at }, this.latestBlock, this.#atHead)
  }

  /** The first initialised round; 0 before any. */
  get firstRound(): number {
    return this.stake.rounds[0]?.number ?? 0
  }

  /** The last initialised round; 0 before any. */
  get currentRound(): number {
    return this.lastRound?.number ?? 0
  }

  /** The last initialised round. */
  get lastRound(): RoundFacts | undefined {
    return this.stake.rounds.at(-1)
  }

  /** What no list tells; of an earlier block its totals are sums over everybody. */
  get totals(): Totals {
    this.#totals ??= this.head.block === this.latestBlock ? this.#atHead : this.#totalsOfThePast()
    return this.#totals
  }

  #totalsOfThePast(): Totals {
    const { l1 } = this.#atHead
    const nextRound = this.currentRound + 1
    let [totalStake, nextRoundTotalActiveStake] = [0n, 0n]
    for (const { delegatedAmount, activationRound, deactivationRound } of this.stake.delegatesAt(Infinity)) {
      totalStake += delegatedAmount
      if (activationRound <= nextRound && nextRound < deactivationRound) nextRoundTotalActiveStake += delegatedAmount
    }
    const streamflowRound = l1 !== null && (l1.streamflowRound ?? Infinity) <= nextRound ? l1.streamflowRound : null
    return { ...this.#atHead, totalStake, nextRoundTotalActiveStake, l1: l1 === null ? null : { streamflowRound } }
  }
}
