import { inject } from 'vitest'
import type { Chain, FollowedChain } from '../../api/facts/followed-chain.ts'
import { startStack } from '../../stack/stack.ts'
import { SHARED_RECORDINGS } from '../shared-stack.ts'
import { traceFile } from './livepeer-truth.ts'
import { serve } from './serve.ts'

/** The chains of the stack that tests share, by the recording each is of, once they are indexed. */
async function sharedChains(): Promise<ReadonlyMap<string, Chain>> {
  const answer = await fetch(inject('sharedStackUrl'))
  if (!answer.ok) throw new Error(await answer.text())
  const { chains } = (await answer.json()) as { chains: readonly Chain[] }
  return new Map(SHARED_RECORDINGS.map((name, index) => [name, at(chains, index)]))
}

function at<Item>(items: readonly Item[], index: number): Item {
  const item = items[index]
  if (item === undefined) throw new Error(`${items.length} instead of more than ${index}`)
  return item
}

interface ServedChains {
  url: string
  chains: readonly Chain[]
  followed: readonly FollowedChain[]
  close(): Promise<void>
}

/** An API of a test's own over recordings that the shared stack has. */
export async function serveShared(...names: string[]): Promise<ServedChains> {
  const shared = await sharedChains()
  const chains = names.map((name) => {
    const chain = shared.get(name)
    if (chain === undefined) throw new Error(`${name} is not shared`)
    return chain
  })
  return { ...(await serve(chains)), chains }
}

/** An API over a recording in a stack of its own. */
export async function serveAlone(name: string): Promise<ServedChains> {
  const stack = await startStack({ traces: [traceFile(name)] })
  await stack.ready
  return { ...stack, close: stack.stop }
}
