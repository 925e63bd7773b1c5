import { gql, request } from 'graphql-request'
import type { IndexedChain } from './chain-view.ts'

interface IndexingStatus {
  indexingStatusForCurrentVersion: {
    synced: boolean
    chains: { chainHeadBlock: { number: string } | null }[]
  } | null
}

const STATUS = gql`
  query Status($name: String!) {
    indexingStatusForCurrentVersion(subgraphName: $name) {
      synced
      chains {
        chainHeadBlock {
          number
        }
      }
    }
  }
`

/** The chain's head as graph-node's index-node knows it; null where that is not configured, down or silent. */
export async function chainHead(
  chain: Pick<IndexedChain, 'network' | 'statusUrl'>,
): Promise<{ block: number; synced: boolean } | null> {
  if (chain.statusUrl === undefined) return null
  try {
    const { indexingStatusForCurrentVersion: status } = await request<IndexingStatus>({
      url: chain.statusUrl,
      document: STATUS,
      variables: { name: `livepeer-governance/${chain.network}` },
      signal: AbortSignal.timeout(2000),
    })
    const number = status?.chains[0]?.chainHeadBlock?.number
    return status === null || number === undefined ? null : { block: Number(number), synced: status.synced }
  } catch {
    // The index may well answer questions about stake while its status server does not.
    return null
  }
}
