import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { LRUCache } from 'lru-cache'
import pLimit from 'p-limit'
import { BondingManager } from './bonding-manager.ts'
import { type ChainBlock, type ChainHead, ChainSource } from './chain-head.ts'
import { ApiError, blockReorged, IndexBehindError, UpstreamError } from './errors.ts'
import { type Facts, type Head, HeldFacts } from './facts.ts'
import { type Anchor, FactsFile } from './facts-file.ts'
import { GraphNode, type IndexHead, mapLists, type Slice, type SubgraphPlace, UP_TO_HEAD } from './graph-node.ts'
import { RoundClock } from './rounds-manager.ts'
import { hostOf } from './rpc.ts'
import { blockOf, type Lists, Names } from './series.ts'

/** Blocks this far behind the head are not reorganised: on Ethereum L1 finality takes 64, Arbitrum is final sooner. */
const VOLATILE_BLOCKS = 250
/** Final facts of more blocks than this are not read together with those that are not final. */
const CATCH_UP_BLOCKS = 250
/** How many blocks are read at first, and how many entities one answer should have. */
const FIRST_SLICE = 10_000
const GOOD_SLICE = 800
/** Blocks of the past whose hash is kept. */
const KEPT_BLOCKS = 50_000
/** Questions about blocks that nobody here has seen: how many at a time, and how many may wait. */
const ASKED_AT_A_TIME = 2
const MAY_WAIT = 20
/** How soon it is tried again where the chain was reorganised while it was read. */
const RETRY_MS = 100
/** The same where others run the index, and count requests. */
const RETRY_ELSEWHERE_MS = 3000
/** How long after the time for two looks at the index there should have been an answer. */
const OVERDUE_MS = 3000
/** How often those who run the API are told what is wrong with an index that others run. */
const TELL_EVERY_MS = 60_000
/** Heads of the chain that the index has yet to reach are remembered up to this number. */
const UNREACHED_HEADS = 1000
/** What a fact takes, with its share of everything around it; see docs/performance.md. */
const BYTES_PER_FACT = 400

/** Where the facts of one chain are. */
export interface Chain extends SubgraphPlace {
  /** The chain's id (EIP-155), where it is known. */
  chainId?: number
  /** graph-node's index-node GraphQL, for the chain's head. */
  statusUrl?: string
  /** Blocks per round, only where the chain's own block numbers drive rounds. */
  roundLength?: number
  /** JSON-RPC of a real chain. */
  rpcUrl?: string
  /** Where LPT is on this chain, to tell its amounts in proposals. */
  lptAddress?: string
  /** Whether it is known to make blocks all the time, so that an old head is one that nobody tells any more. */
  neverRests?: boolean
  /** Where the chain's contracts are, by their names in the networks file: told to whoever compares with them, and BondingManager of Ethereum L1 is asked what its events do not tell. */
  contracts?: Readonly<Record<string, string>>
}

/** How a chain is followed. */
export interface FollowOptions {
  /** Milliseconds from one look at the index to the next; 1,000. */
  intervalMs?: number | undefined
  /** Seconds for which answers go on from what is held while graph-node does not answer; 3,600. */
  maxAgeSeconds?: number | undefined
  /** How old by the clock the head of a chain that never rests may be before what is answered counts as stale; 600 seconds, 0 for any age. */
  maxHeadAgeSeconds?: number | undefined
  /** The most memory that facts may take, MiB, as told by `bytes`; 2,048. */
  maxFactsMiB?: number | undefined
  /** Folder for files of facts; none are kept without. */
  dataDir?: string | undefined
  /** Each query's seconds and whether it was answered. */
  observe?: ((seconds: number, answered: boolean) => void) | undefined
  /** Takes a line about what those who run the API should know. */
  log?: ((line: string) => void) | undefined
}

/** How it is about following a chain. */
export interface ChainState {
  /** Where facts are read at; undefined before they are loaded. */
  head: Head | undefined
  /** The last initialised round then; 0 before any. */
  firstRound: number
  currentRound: number
  contradictions: number
  /** Whether it is known to be Ethereum L1. */
  isL1: boolean
  chainHead: ChainHead | null
  /** Seconds since the chain was first seen ahead of the index, by a block that the index has not reached yet; 0 where it is not. */
  behindSeconds: number
  /** Seconds by the clock since the time of the block that facts are read at; null where that time is not known. */
  headAgeSeconds: number | null
  /** How old that may be; null where nothing follows from it, as the chain may rest. */
  maxHeadAgeSeconds: number | null
  /** Seconds since graph-node last answered; null where it never did. */
  ageSeconds: number | null
  /** Seconds from one look at the index to the next. */
  intervalSeconds: number
  /** Whether graph-node should have answered since; true where it never did. */
  isOverdue: boolean
  /** Why the last step failed, or the facts are not there; null where all is well. */
  error: ApiError | null
  /** What keeps the index from going on, and what to set, as those who run it noted; null while it goes on. */
  trouble: string | null
  /** Whether the chain told that what was read before is still on it; false where it could not be asked. */
  isChecked: boolean
  /** How many facts are held, and what memory they take, estimated. */
  facts: number
  bytes: number
  /** Seconds the last load took, or the last restart from the file; null before there was any. */
  loadSeconds: number | null
}

/** One chain's facts as requests get them. */
export interface FactsSource {
  readonly network: string
  /** The chain's id (EIP-155); undefined where nobody told. */
  readonly chainId?: number | undefined
  /** Blocks per round, where the chain's own block numbers drive rounds. */
  readonly roundLength: number | undefined
  /** Contracts of LPT, lower case. */
  readonly lptAddresses: readonly string[]
  /** BondingManager, to be asked on Ethereum L1 only; undefined where there is no RPC to ask it by. */
  readonly bondingManager?: BondingManager | undefined
  /** JSON-RPC of the chain, to compare with its contracts by; it may hold a key. Undefined where there is none. */
  readonly rpcUrl?: string | undefined
  /** Addresses of the chain's contracts, by their names in the networks file; undefined where nobody told. */
  readonly contracts?: Readonly<Record<string, string>> | undefined
  /** The facts as they are now; UPSTREAM_UNAVAILABLE where they were never loaded, or are too old. */
  readonly facts: Facts
  /** The facts as of an earlier block; BLOCK_REORGED where it is not on the chain, UPSTREAM_UNAVAILABLE where nobody tells. */
  factsAt(pin: Anchor): Promise<Facts>
  /**
   * The round it is as of some facts' block: by arithmetic where the chain's own blocks drive rounds, else what
   * RoundsManager.currentRound() answers where there is an RPC, else the last initialised one.
   */
  roundAt(facts: Facts): Promise<number>
  readonly state: ChainState
}

/** Holds the facts of one chain in memory and follows its index: the only one who asks graph-node. */
export class FollowedChain implements FactsSource {
  readonly network: string
  readonly chainId: number | undefined
  readonly roundLength: number | undefined
  readonly lptAddresses: readonly string[]
  readonly bondingManager: BondingManager | undefined
  readonly rpcUrl: string | undefined
  readonly contracts: Readonly<Record<string, string>> | undefined
  readonly #graphNode: GraphNode
  readonly #source: ChainSource
  readonly #place: SubgraphPlace
  readonly #file: FactsFile | undefined
  readonly #options: { intervalMs: number; maxAgeSeconds: number; maxFactsMiB: number; log: (line: string) => void }
  readonly #maxHeadAgeSeconds: number | null
  readonly #end = new AbortController()
  readonly #blocks = new LRUCache<number, ChainBlock>({ max: KEPT_BLOCKS })
  readonly #asking = pLimit(ASKED_AT_A_TIME)
  readonly #roundClock: RoundClock | undefined
  #following: Promise<void> | undefined
  #wake: () => void = () => {}
  #held: HeldFacts | undefined
  #anchor: Anchor | null = null
  /** The heads that were read and are not final, and the last one that is. */
  #heads: Anchor[] = []
  #refusal: ApiError | undefined
  #facts: Facts | undefined
  #chainHead: ChainHead | null = null
  #error: ApiError | null = null
  #trouble: string | null = null
  /** Blocks that the chain was seen at and the index not yet, each higher than the one before. */
  #unreached: { block: number; seen: number }[] = []
  /** Of what is held. */
  #deployment: string | undefined
  /** How long after the last answer the next one is to be expected, milliseconds. */
  #expected: number
  #toldAt: number | undefined
  #isTold = false
  #isChecked = false
  #answeredAt: number | undefined
  #loadSeconds: number | null = null

  constructor(chain: Chain, options: FollowOptions = {}) {
    const { network, rpcUrl, lptAddress } = chain
    const { intervalMs = 1000, maxAgeSeconds = 3600, maxHeadAgeSeconds = 600, maxFactsMiB = 2048 } = options
    const { log = () => {}, dataDir } = options
    this.network = network
    this.chainId = chain.chainId
    this.roundLength = chain.roundLength
    this.rpcUrl = rpcUrl
    this.contracts = chain.contracts
    this.lptAddresses = lptAddress === undefined ? [] : [lptAddress.toLowerCase()]
    this.#place = chain
    this.#graphNode = new GraphNode(chain, this.#end.signal, options.observe)
    this.#source = new ChainSource(chain)
    const bondingManager = chain.contracts?.BondingManager
    this.bondingManager =
      rpcUrl === undefined || bondingManager === undefined ? undefined : new BondingManager(rpcUrl, bondingManager)
    this.#roundClock = rpcUrl === undefined ? undefined : new RoundClock(rpcUrl)
    this.#options = { intervalMs, maxAgeSeconds, maxFactsMiB, log }
    this.#expected = intervalMs
    this.#maxHeadAgeSeconds = chain.neverRests === true ? maxHeadAgeSeconds || null : null
    this.#file = dataDir === undefined ? undefined : new FactsFile(join(dataDir, `${network}.facts`), log)
  }

  get facts(): Facts {
    const { maxAgeSeconds } = this.#options
    const age = this.#ageSeconds
    if (this.#facts === undefined) throw this.#error ?? this.#unavailable('has no facts loaded yet')
    if (age !== null && age > maxAgeSeconds) throw this.#unavailable(`has not answered for ${Math.floor(age)} seconds`)
    return this.#facts
  }

  async factsAt({ block, hash }: Anchor): Promise<Facts> {
    const { facts } = this
    if (facts.head.blockHash === hash && facts.head.block === block) return facts
    if (block > facts.head.block) {
      throw this.#unavailable(`is at block ${facts.head.block} and has not reached ${block}, where this list was begun`)
    }
    const known = this.#blocks.get(block) ?? (await this.#askForBlock(block, facts))
    if (known.hash !== hash) throw blockReorged()
    return facts.asOf({ block, blockHash: hash, timestamp: known.timestamp })
  }

  async roundAt({ head, mark, currentRound, totals }: Facts): Promise<number> {
    if (this.roundLength !== undefined) return Math.floor(head.block / this.roundLength)
    const { roundsManager } = totals
    if (this.#roundClock === undefined || roundsManager === null) return currentRound
    return this.#roundClock.at(roundsManager, head, mark)
  }

  get state(): ChainState {
    const { head, firstRound = 0, currentRound = 0, stake } = this.#facts ?? {}
    const count = this.#held?.count ?? 0
    return {
      head,
      firstRound,
      currentRound,
      contradictions: stake?.contradictions.length ?? 0,
      isL1: (this.#facts?.totals.l1 ?? null) !== null,
      chainHead: this.#chainHead,
      behindSeconds: this.#unreached[0] === undefined ? 0 : (performance.now() - this.#unreached[0].seen) / 1000,
      headAgeSeconds: typeof head?.timestamp === 'number' ? Date.now() / 1000 - head.timestamp : null,
      maxHeadAgeSeconds: this.#maxHeadAgeSeconds,
      ageSeconds: this.#ageSeconds,
      intervalSeconds: this.#options.intervalMs / 1000,
      isOverdue: (this.#ageSeconds ?? Infinity) * 1000 > this.#options.intervalMs + this.#expected + OVERDUE_MS,
      error: this.#facts === undefined ? (this.#error ?? this.#unavailable('has no facts loaded yet')) : this.#error,
      trouble: this.#trouble,
      isChecked: this.#isChecked,
      facts: count,
      bytes: count * BYTES_PER_FACT,
      loadSeconds: this.#loadSeconds,
    }
  }

  /** Takes what keeps the index from going on, null where it goes on: what is answered meanwhile counts as stale. */
  noteTrouble(trouble: string | null): void {
    this.#trouble = trouble
  }

  /** Begins to load and follow. */
  start(): this {
    this.#following ??= this.#follow()
    return this
  }

  /** Resolves when facts as of a block, or a later one, are held. */
  async reached(block: number, signal: AbortSignal): Promise<void> {
    while ((this.#facts?.head.block ?? -1) < block) {
      signal.throwIfAborted()
      // Others count requests.
      if (this.#place.isElsewhere !== true) this.#wake()
      await pause(20, undefined, { signal })
    }
  }

  /** Ends following; what was read last is written to the file. */
  async close(): Promise<void> {
    this.#end.abort()
    this.#wake()
    await this.#following
    await this.#file?.flush()
  }

  async #follow(): Promise<void> {
    const { signal } = this.#end
    while (!signal.aborted) {
      const rest = await this.#tryStep()
      await Promise.race([
        pause(rest, undefined, { signal }).catch(() => {}),
        new Promise<void>((resolve) => {
          this.#wake = resolve
        }),
      ])
    }
  }

  /** Gives how long to rest until the next one, milliseconds. */
  async #tryStep(): Promise<number> {
    const { intervalMs } = this.#options
    const started = performance.now()
    try {
      await this.#step()
      this.#error = null
      this.#answeredAt = performance.now()
      this.#tellThatItAnswers()
    } catch (error) {
      if (this.#end.signal.aborted) return 0
      const isForAMoment = !this.state.isOverdue
      // What was read is of a branch that lost: nothing is wrong with graph-node, unless it goes on like that.
      if (error instanceof ApiError && error.code === 'BLOCK_REORGED' && isForAMoment)
        return this.#place.isElsewhere === true ? Math.min(intervalMs, RETRY_ELSEWHERE_MS) : RETRY_MS
      // The same where one of several has not come as far as another: what is held is newer, unless it goes on like that.
      if (error instanceof IndexBehindError && isForAMoment) return intervalMs
      this.#fail(error)
      return intervalMs
    }
    const took = performance.now() - started
    // An index that is catching up is not to be kept from it by those who look on.
    const rest = Math.max(intervalMs - took, Math.min(3 * took, 10_000))
    this.#expected = Math.max(intervalMs, rest + took)
    return rest
  }

  #fail(error: unknown): void {
    const { log } = this.#options
    if (!(error instanceof ApiError))
      log(`following ${this.network} failed: ${error instanceof Error ? error.stack : error}`)
    if (error instanceof UpstreamError) this.#tellWhatIsWrong(error.reason)
    const isForClients = error instanceof ApiError && error.code === 'UPSTREAM_UNAVAILABLE'
    this.#error = isForClients ? error : this.#unavailable('cannot be followed')
  }

  /** An index of one's own has a log of its own. */
  #tellWhatIsWrong(reason: string): void {
    if (this.#place.isElsewhere !== true) return
    const now = performance.now()
    if (this.#toldAt !== undefined && now - this.#toldAt < TELL_EVERY_MS) return
    this.#toldAt = now
    this.#isTold = true
    const meanwhile = this.#facts === undefined ? 'nothing is answered yet' : 'what is held is answered from'
    this.#options.log(`${this.#subgraph} is of no use: ${reason}; ${meanwhile}`)
  }

  #tellThatItAnswers(): void {
    if (this.#isTold) this.#options.log(`${this.#subgraph} is of use again`)
    this.#isTold = false
  }

  get #subgraph(): string {
    return `${this.network}: the subgraph at ${hostOf(this.#place.subgraphUrl)}`
  }

  /** From one consistent state to the next: all that the blocks above the mark made so, as of one block. */
  async #step(): Promise<void> {
    if (this.#refusal !== undefined) throw this.#refusal
    const started = performance.now()
    const looking = this.#look()
    const deployment = async () => this.#deployment ?? (await looking).head.deployment
    const [{ head, tail }, chainHead] = await Promise.all([looking, this.#source.latest(deployment)])
    this.#noteChainHead(chainHead, head)
    const before = this.#facts?.head
    if (before?.blockHash === head.blockHash && before.deployment === head.deployment) {
      if (before.hasIndexingErrors !== head.hasIndexingErrors) this.#facts = this.#facts?.asOf(head)
      return
    }
    await this.#checkWhatIsHeld(head)
    const held = this.#held ?? (await this.#beginToHold(head))
    await this.#readFinal(head.block - VOLATILE_BLOCKS - CATCH_UP_BLOCKS, held)
    const isRead = tail !== undefined && tail.held === held && tail.above === held.mark
    const { head: readAt, lists, totals } = await this.#readTail(held.mark, isRead ? tail.slice : undefined)
    // Another block may have come meanwhile, even one of another branch.
    if (readAt.blockHash !== head.blockHash) await this.#checkWhatIsHeld(readAt)
    if (held !== this.#held) throw blockReorged()
    await this.#take(lists, readAt, held)
    if (this.#facts === undefined) this.#loadSeconds = (performance.now() - started) / 1000
    this.#facts = held.asOf(readAt, totals)
    this.#blocks.set(readAt.block, { hash: readAt.blockHash, timestamp: readAt.timestamp })
    this.#heads.push({ block: readAt.block, hash: readAt.blockHash })
  }

  /**
   * Where the index stands. Where others count requests it is asked along with what is above the mark, as on a chain that
   * moves both are wanted each time.
   */
  async #look(): Promise<{ head: IndexHead; tail?: { held: HeldFacts; above: number; slice: Slice } }> {
    const held = this.#held
    if (this.#place.isElsewhere !== true || held === undefined || this.#facts === undefined)
      return { head: await this.#graphNode.head() }
    const above = held.mark
    const slice = await this.#graphNode.facts(above, UP_TO_HEAD, null)
    return { head: slice.head, tail: { held, above, slice } }
  }

  #noteChainHead(chainHead: ChainHead | null, head: IndexHead): void {
    // graph-node's index-node is not asked for the time of a head: of one that vanishes that would mislead it for long.
    const isAtHead = chainHead?.block === head.block
    this.#chainHead = chainHead && isAtHead ? { ...chainHead, timestamp: head.timestamp } : chainHead
    this.#unreached = this.#unreached.filter(({ block }) => block > head.block)
    const highest = this.#unreached.at(-1)?.block ?? head.block
    if (chainHead === null || chainHead.block <= highest || this.#unreached.length >= UNREACHED_HEADS) return
    this.#unreached.push({ block: chainHead.block, seen: performance.now() })
  }

  /** Forgets what the chain says is no longer so. */
  async #checkWhatIsHeld(head: IndexHead): Promise<void> {
    const before = this.#facts?.head
    const held = this.#held
    if (held === undefined) {
      this.#isChecked = (await this.#source.hash(head.block)) === head.blockHash
      return
    }
    if (this.#deployment !== head.deployment) return this.#forget('another version of the subgraph answers')
    if (head.block < held.mark) return this.#forget(`the index went back to block ${head.block}`)
    const onChain = before === undefined || before.block > head.block ? null : await this.#source.hash(before.block)
    if (onChain !== null && onChain === before?.blockHash) {
      this.#isChecked = true
      return
    }
    // Reorganised, or nobody tells: what is known of blocks that are not final is known no longer.
    for (const block of [...this.#blocks.keys()]) if (block > held.mark) this.#blocks.delete(block)
    this.#heads = []
    const anchor = this.#anchor
    const anchored = anchor === null ? null : await this.#source.hash(anchor.block)
    this.#isChecked = anchored !== null
    if (anchored !== null && anchored !== anchor?.hash) this.#forget(`block ${anchor?.block} was reorganised away`)
  }

  /** What was held is answered from until all is loaded anew. */
  #forget(why: string): void {
    this.#options.log(`${this.network}: ${why}; all facts are loaded anew`)
    this.#held = undefined
    this.#deployment = undefined
    this.#anchor = null
    this.#blocks.clear()
    this.bondingManager?.forget()
    this.#error = this.#unavailable(`is read anew: ${why}`)
  }

  /** Holds what the file has, where there is one that is of this chain, else nothing. */
  async #beginToHold(head: Head): Promise<HeldFacts> {
    this.#deployment = head.deployment
    const restored = await this.#restore(head)
    if (restored !== undefined) return restored
    await this.#file?.begin(this.network, head.deployment)
    this.#held = new HeldFacts(new Names())
    return this.#held
  }

  async #restore(head: Head): Promise<HeldFacts | undefined> {
    const file = this.#file
    if (file === undefined) return undefined
    const held = new HeldFacts(new Names())
    let anchor: Anchor | null = null
    try {
      for await (const piece of file.read(this.network, head.deployment)) {
        if (piece.above !== held.mark) throw new Error('a piece is missing, or there twice')
        held.addFinal(piece.lists, piece.upTo)
        anchor = piece.anchor ?? anchor
        this.#refuseTooMuch(held)
      }
      if (held.mark === -1) return undefined
      if (held.mark > head.block && this.#place.isElsewhere === true) throw this.#behind(head.block, held.mark)
      if (held.mark > head.block) throw new Error(`it reaches to block ${held.mark}, the index to ${head.block}`)
      const onChain = anchor === null ? null : await this.#source.hash(anchor.block)
      this.#isChecked = onChain !== null
      if (onChain !== null && onChain !== anchor?.hash) throw new Error(`block ${anchor?.block} is another one now`)
    } catch (error) {
      if (error instanceof ApiError) throw error
      await file.discard(error instanceof Error ? error.message : String(error))
      return undefined
    }
    this.#anchor = anchor
    this.#held = held
    return held
  }

  /** Reads what blocks above the mark and up to another one made so, in slices, and moves the mark on with each. */
  async #readFinal(block: number, held: HeldFacts): Promise<void> {
    let size = FIRST_SLICE
    while (held.mark < block) {
      this.#end.signal.throwIfAborted()
      const upTo = Math.min(held.mark + size, block)
      const slice = await this.#graphNode.facts(held.mark, upTo, { number_gte: block })
      this.#refuseAnother(slice.head)
      await this.#addFinal(slice.lists, slice.upTo, held)
      if (slice.longest < GOOD_SLICE / 2) size *= 2
      else if (slice.upTo < upTo) size = Math.max(1, Math.floor(size / 2))
      this.#answeredAt = performance.now()
    }
  }

  /** Reads all that blocks above one made so, as of the latest block, which may have been begun with. */
  async #readTail(above: number, begun?: Slice): Promise<Slice> {
    const first = begun ?? (await this.#graphNode.facts(above, UP_TO_HEAD, null))
    const { head } = first
    this.#refuseAnother(head)
    const { blockHash: hash, block } = head
    let slice = first
    while (slice.upTo < UP_TO_HEAD) {
      const { lists } = slice
      const more = await this.#graphNode.facts(slice.upTo, UP_TO_HEAD, { hash })
      this.#refuseAnother(more.head)
      slice = { ...more, head, lists: mapLists(lists, (entities, name) => [...entities, ...more.lists[name]]) }
    }
    if (slice === first || (await this.#graphNode.head()).blockHash === hash) return slice
    // By the hash of a block that was reorganised away meanwhile graph-node answers of another branch.
    const onChain = await this.#source.hash(block)
    if (onChain !== null && onChain !== hash) throw blockReorged()
    if (onChain === null) this.#isChecked = false
    return slice
  }

  /** Of several that answer, one may answer of another version already, or still: facts of two are never mixed. */
  #refuseAnother({ deployment }: IndexHead): void {
    if (deployment !== this.#deployment) throw blockReorged()
  }

  /** Takes what was read above the mark: what is final for good, the rest until the next step. */
  async #take(read: Lists, head: Head, held: HeldFacts): Promise<void> {
    const mark = Math.max(held.mark, head.block - VOLATILE_BLOCKS)
    const lists = (isIn: (block: number) => boolean): Lists =>
      mapLists(read, (entities) => entities.filter((entity) => isIn(blockOf(entity))))
    await this.#noteAnchor(mark)
    const final = lists((block) => block <= mark)
    await this.#addFinal(final, mark, held)
    held.replaceTail(lists((block) => block > mark))
  }

  async #addFinal(lists: Lists, upTo: number, held: HeldFacts): Promise<void> {
    const above = held.mark
    if (upTo <= above) return
    held.addFinal(lists, upTo)
    this.#refuseTooMuch(held)
    await this.#file?.add({ above, upTo, anchor: this.#anchor, lists })
  }

  /** A block at or below the mark by whose hash a later step tells whether this still is the same chain. */
  async #noteAnchor(mark: number): Promise<void> {
    const final = this.#heads.findLastIndex(({ block }) => block <= mark)
    this.#anchor = this.#heads[final] ?? this.#anchor
    this.#heads = this.#heads.slice(Math.max(0, final))
    if (this.#anchor !== null || mark < 0) return
    const hash = await this.#source.hash(mark)
    if (hash !== null) this.#anchor = { block: mark, hash }
  }

  #refuseTooMuch(held: HeldFacts): void {
    const { maxFactsMiB } = this.#options
    const needed = Math.ceil((held.count * BYTES_PER_FACT) / 2 ** 20)
    if (needed <= maxFactsMiB) return
    this.#facts = undefined
    this.#held = undefined
    this.#refusal = this.#unavailable(`has facts of more than the ${maxFactsMiB} MiB that may be held here`)
    this.#options.log(this.#refusal.message)
    throw this.#refusal
  }

  /** A block that is on the chain, of which nobody here has seen it; others may wait for that, but not any number. */
  async #askForBlock(block: number, { mark }: Facts): Promise<ChainBlock> {
    if (this.#asking.pendingCount >= MAY_WAIT)
      throw this.#unavailable(`is asked for too many blocks of the past at once`)
    const onChain = await this.#asking(() => this.#source.block(block))
    if (onChain === null) throw this.#unavailable(`cannot tell whether block ${block} is still on the chain`)
    if (block <= mark) this.#blocks.set(block, onChain)
    return onChain
  }

  get #ageSeconds(): number | null {
    return this.#answeredAt === undefined ? null : (performance.now() - this.#answeredAt) / 1000
  }

  #behind(block: number, mark: number): ApiError {
    const { message } = this.#unavailable(`is at block ${block}, and was at ${mark} before`)
    return new IndexBehindError(message, `it is at block ${block}, and was at ${mark} before`)
  }

  #unavailable(what: string): ApiError {
    return new ApiError('UPSTREAM_UNAVAILABLE', `The index of ${this.network} ${what}; try again soon`)
  }
}
