import { AragonFacts, aragonSeries } from './aragon.ts'
import { GovernanceFacts, governanceSeries } from './governance.ts'
import type { Lists, Names, Series, Timelines } from './series.ts'
import { type RoundFacts, StakeFacts, stakeSeries } from './stake.ts'
import { type FactsByKey, type Since, Timeline } from './timeline.ts'
import { TreasuryFacts, treasurySeries } from './treasury.ts'

const SERIES = { ...stakeSeries, ...governanceSeries, ...aragonSeries, ...treasurySeries }
type SeriesName = keyof typeof SERIES
const ALL_SERIES = Object.entries(SERIES) as [SeriesName, Series<Since>][]

/** Everything that some blocks made so. */
type Layer = ReadonlyMap<SeriesName, FactsByKey<Since>>

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

let nextGeneration = 1

/** The facts of one chain, as they come in: those of blocks up to a mark for good, those above it until the next step. */
export class HeldFacts {
  /** Another one for whatever was loaded anew. */
  readonly generation = nextGeneration++
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
    this.#finalCount += this.#hold(lists, this.#final)
    this.#mark = mark
  }

  /** Takes all that blocks above the mark made so, in place of what was taken before. */
  replaceTail(lists: Lists): void {
    this.#tail = newLayer()
    this.#tailCount = this.#hold(lists, this.#tail)
  }

  /** All of it as of a head. */
  asOf(head: Head, totals: Totals): Facts {
    return new Facts(this.generation, this.#final, this.#tail, this.#mark, head, head.block, totals)
  }

  #hold(lists: Lists, layer: Layer): number {
    const hold = ([name, series]: [SeriesName, Series<Since>]) =>
      series.hold(lists, layer.get(name) ?? new Map(), this.names)
    return ALL_SERIES.reduce((count, series) => count + hold(series), 0)
  }
}

function newLayer(): Layer {
  return new Map(ALL_SERIES.map(([name]) => [name, new Map()]))
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
    /** Names what was loaded: with the same one, facts up to a mark are the same. */
    readonly generation: number,
    private readonly final: Layer,
    private readonly tail: Layer,
    /** The last block whose facts no reorganisation changes. */
    readonly mark: number,
    readonly head: Head,
    private readonly latestBlock: number,
    totals: Totals,
  ) {
    const timelines = Object.fromEntries(
      ALL_SERIES.map(([name]) => {
        const [finalFacts, tailFacts] = [final.get(name) ?? new Map(), tail.get(name) ?? new Map()]
        return [name, new Timeline(finalFacts, tailFacts, mark, head.block)]
      }),
    ) as unknown as Timelines<typeof SERIES>
    this.stake = new StakeFacts(timelines)
    this.governance = new GovernanceFacts(timelines)
    this.aragon = new AragonFacts(timelines)
    this.treasury = new TreasuryFacts(timelines)
    this.#atHead = totals
  }

  /** The same as of an earlier block. */
  asOf(at: Pick<Head, 'block' | 'blockHash' | 'timestamp'> & Partial<Head>): Facts {
    return new Facts(
      this.generation,
      this.final,
      this.tail,
      this.mark,
      { ...this.head, ...at },
      this.latestBlock,
      this.#atHead,
    )
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
    const streamflowRound = l1 !== null && (l1.streamflowRound ?? Infinity) <= nextRound ? l1.streamflowRound : null
    // What one account had then needs no sums over everybody.
    let sums: { totalStake: bigint; nextRoundTotalActiveStake: bigint } | undefined
    const sumsThen = () => {
      sums ??= this.#sums(nextRound)
      return sums
    }
    return {
      ...this.#atHead,
      l1: l1 === null ? null : { streamflowRound },
      get totalStake() {
        return sumsThen().totalStake
      },
      get nextRoundTotalActiveStake() {
        return sumsThen().nextRoundTotalActiveStake
      },
    }
  }

  #sums(nextRound: number): { totalStake: bigint; nextRoundTotalActiveStake: bigint } {
    let [totalStake, nextRoundTotalActiveStake] = [0n, 0n]
    for (const { delegatedAmount, activationRound, deactivationRound } of this.stake.delegatesAt(Infinity)) {
      totalStake += delegatedAmount
      if (activationRound <= nextRound && nextRound < deactivationRound) nextRoundTotalActiveStake += delegatedAmount
    }
    return { totalStake, nextRoundTotalActiveStake }
  }
}
