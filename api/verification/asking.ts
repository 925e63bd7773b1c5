import type { Address } from 'viem'
import type { ApiReader } from './api-files.ts'
import { BLOCK_HASH, type Compared, type Comparison } from './comparison.ts'
import { type Contracts, hasState, type NodeClient } from './contracts.ts'
import { wholeNumber } from './errors.ts'
import { nodeWords, tellsNoState } from './node.ts'

/** The two sides of a verification, and who is told how far it is. */
export interface Sources {
  api: ApiReader
  contracts: Contracts
  progress: Progress
}

/** Is told what a verification does. */
export interface Progress {
  /** What is compared, in a line, before it begins. */
  begin(line: string): void
  /** How many accounts were asked about: none at first, all of them at last unless it fails before. */
  advance(what: string, done: number, total: number): void
  /** Each value that was compared, where somebody wants to list them. */
  compared?(compared: Compared): void
}

/** A comparison under way: the chain that is asked, and what was found so far. */
export interface Asking {
  client: NodeClient
  comparison: Comparison
  progress: Progress
}

/** Accounts asked about at a time. */
const BATCH = 50

/** Whether it is the same chain, by the hash of the block that the API answers as of. */
export async function compareBlock(
  { client, comparison }: Asking,
  { block, blockHash }: { block: number; blockHash: string | null },
): Promise<void> {
  if (blockHash === null) return
  const blockNumber = wholeNumber(block, 'block')
  try {
    const { hash } = await client.getBlock({ blockNumber })
    comparison.equal(BLOCK_HASH, `block ${block}`, hash, blockHash)
  } catch (error) {
    const reason = tellsNoState(error) ? 'NO_STATE' : 'NO_ANSWER'
    comparison.unchecked.push({ what: BLOCK_HASH, reason, why: `hash of block ${block}: ${nodeWords(error)}` })
  }
}

/** Whether a block can be read at; where the node has no state of it, that is kept: at another one the figures may be others. */
export async function canReadAt(
  { client, comparison }: Asking,
  address: Address,
  blockNumber: bigint,
  what: string,
): Promise<boolean> {
  if (await hasState(client, address, blockNumber)) return true
  const why = `${what}: this RPC has no state of block ${blockNumber}; an archive node has`
  comparison.unchecked.push({ what, reason: 'NO_STATE', why })
  return false
}

/** Asks about many accounts, some at a time; gives the answers in the same order. */
export async function inBatches<Item, Answer>(
  { progress }: Asking,
  what: string,
  items: readonly Item[],
  ask: (item: Item) => Promise<Answer>,
): Promise<Answer[]> {
  const answers: Answer[] = []
  progress.advance(what, 0, items.length)
  for (let start = 0; start < items.length; start += BATCH) {
    answers.push(...(await Promise.all(items.slice(start, start + BATCH).map(ask))))
    progress.advance(what, answers.length, items.length)
  }
  return answers
}
