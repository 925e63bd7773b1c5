import type { Address } from 'viem'
import type { ApiReader } from './api-files.ts'
import { BLOCK_HASH, type Compared, type Comparison } from './comparison.ts'
import { type Contracts, hasState, type NodeClient } from './contracts.ts'
import { messageOf, wholeNumber } from './errors.ts'

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
    comparison.notes.push(`hash of block ${block}: ${messageOf(error)}`)
  }
}

/** The API's block to read at; where the chain has its state no more, now, with a note. */
export async function moment(
  { client, comparison }: Asking,
  address: Address,
  blockNumber: bigint,
): Promise<{ blockNumber?: bigint }> {
  if (await hasState(client, address, blockNumber)) return { blockNumber }
  comparison.notes.push(`the state of block ${blockNumber}: this RPC has it no more, compared with that of now`)
  return {}
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
