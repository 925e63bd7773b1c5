import type { ChainView } from './chain-view.ts'

/** What every resolver of one request shares: each chain as of one block. */
export interface Context {
  views: readonly ChainView[]
}
