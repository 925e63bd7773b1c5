import { gql, request } from 'graphql-request'
import { createPublicClient, http } from 'viem'

/** How long a chain's head is taken for the latest, so that asking for it costs less than an upstream query a request. */
const LIFETIME_MS = 1000
/** How long nobody is asked again after there was no answer: an answer must not be held up by its freshness. */
const SILENCE_MS = 5000
/** Less than a request to the subgraph may take, so that a dead graph-node is not reported any later. */
const TIMEOUT_MS = 1000

/** The latest block of a chain. */
export interface ChainHead {
  block: number
  /** Unix time; null where it is not known. */
  timestamp: number | null
  /** Whether the index says that it has caught up once; null where it is not asked. */
  synced: boolean | null
}

/** The head of one chain as graph-node's index-node knows it, or where there is none the chain's RPC. */
export class ChainHeadSource {
  #latest: { until: number; head: Promise<ChainHead | null> } | undefined
  #timestamp: { hash: string; seconds: number | null } | undefined

  constructor(private readonly chain: { network: string; statusUrl?: string; rpcUrl?: string }) {}

  /** Null where nobody is there to ask, or nobody answers. Kept for a second. */
  latest(): Promise<ChainHead | null> {
    const now = performance.now()
    if (this.#latest === undefined || now > this.#latest.until) {
      // The index may well answer questions about stake while its status server does not.
      const latest = { until: now + LIFETIME_MS, head: this.#ask().catch(() => null) }
      this.#latest = latest
      latest.head.then((head) => {
        if (head === null) latest.until = performance.now() + SILENCE_MS
      })
    }
    return this.#latest.head
  }

  /**
   * Hash of the block that has a number on the chain now, as graph-node's or our own RPC tells it; null where there is
   * nobody to ask, or no answer.
   */
  async blockHash(block: number): Promise<string | null> {
    const { network, statusUrl, rpcUrl } = this.chain
    try {
      if (statusUrl !== undefined) {
        const signal = AbortSignal.timeout(TIMEOUT_MS)
        const variables = { network, block }
        const answer = await request<{ hash: string | null }>({
          url: statusUrl,
          document: BLOCK_HASH,
          variables,
          signal,
        })
        // graph-node leaves out the 0x here.
        return answer.hash === null ? null : `0x${answer.hash.replace(/^0x/, '')}`
      }
      if (rpcUrl !== undefined) return (await rpcClient(rpcUrl).getBlock({ blockNumber: BigInt(block) })).hash
    } catch {
      // What cannot be checked is left to graph-node, which knows most of the blocks that are none any more.
    }
    return null
  }

  async #ask(): Promise<ChainHead | null> {
    const { network, statusUrl, rpcUrl } = this.chain
    if (statusUrl === undefined) return rpcUrl === undefined ? null : headByRpc(rpcUrl)
    const signal = AbortSignal.timeout(TIMEOUT_MS)
    const { indexingStatusForCurrentVersion: status } = await request<IndexingStatus>({
      url: statusUrl,
      document: STATUS,
      variables: { name: `livepeer-governance/${network}` },
      signal,
    })
    const block = status?.chains[0]?.chainHeadBlock
    if (!status || !block) return null
    if (this.#timestamp?.hash !== block.hash) {
      const seconds = await blockTime(statusUrl, network, block.hash, signal).catch(() => null)
      this.#timestamp = { hash: block.hash, seconds }
    }
    return { block: Number(block.number), timestamp: this.#timestamp.seconds, synced: status.synced }
  }
}

interface IndexingStatus {
  indexingStatusForCurrentVersion: {
    synced: boolean
    chains: { chainHeadBlock: { number: string; hash: string } | null }[]
  } | null
}

const STATUS = gql`
  query Status($name: String!) {
    indexingStatusForCurrentVersion(subgraphName: $name) {
      synced
      chains {
        chainHeadBlock {
          number
          hash
        }
      }
    }
  }
`

const BLOCK = gql`
  query Block($network: String!, $hash: Bytes!) {
    blockData(network: $network, blockHash: $hash)
  }
`

const BLOCK_HASH = gql`
  query BlockHash($network: String!, $block: Int!) {
    hash: blockHashFromNumber(network: $network, blockNumber: $block)
  }
`

/** Unix time of a block that graph-node keeps; null where it keeps it without. */
async function blockTime(url: string, network: string, hash: string, signal: AbortSignal): Promise<number | null> {
  const answer = await request<{ blockData: unknown }>({ url, document: BLOCK, variables: { network, hash }, signal })
  // graph-node keeps some blocks alone, others together with their receipts.
  const { timestamp, block } = answer.blockData as { timestamp?: string; block?: { timestamp?: string } }
  const seconds = Number(timestamp ?? block?.timestamp)
  return Number.isFinite(seconds) ? seconds : null
}

async function headByRpc(rpcUrl: string): Promise<ChainHead> {
  const { number, timestamp } = await rpcClient(rpcUrl).getBlock({ blockTag: 'latest' })
  return { block: Number(number), timestamp: Number(timestamp), synced: null }
}

function rpcClient(rpcUrl: string) {
  return createPublicClient({ transport: http(rpcUrl, { timeout: TIMEOUT_MS, retryCount: 0 }) })
}
