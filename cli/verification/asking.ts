import { SingleBar } from 'cli-progress'
import type { Address, PublicClient } from 'viem'
import { messageOf } from '../errors.ts'
import { BLOCK_HASH, type Comparison } from './comparison.ts'
import { hasState } from './contracts.ts'

/** Accounts asked about at a time. */
const BATCH = 50

export async function compareBlock(
  client: PublicClient,
  { block, blockHash }: { block: number; blockHash: string | null },
  comparison: Comparison,
): Promise<void> {
  if (blockHash === null) return
  try {
    const { hash } = await client.getBlock({ blockNumber: BigInt(block) })
    comparison.equal(BLOCK_HASH, `block ${block}`, hash, blockHash)
  } catch (error) {
    comparison.notes.push(`hash of block ${block}: ${messageOf(error)}`)
  }
}

/** The API's block to read at; where the chain has its state no more, now, with a note. */
export async function moment(
  client: PublicClient,
  address: Address,
  blockNumber: bigint,
  comparison: Comparison,
): Promise<{ blockNumber?: bigint }> {
  if (await hasState(client, address, blockNumber)) return { blockNumber }
  comparison.notes.push(`the state of block ${blockNumber}: this RPC has it no more, compared with that of now`)
  return {}
}

/** Asks about many accounts, some at a time, with a progress bar in a terminal. */
export async function inBatches<Item, Answer>(
  what: string,
  items: readonly Item[],
  ask: (item: Item) => Promise<Answer>,
): Promise<Answer[]> {
  const bar = new SingleBar({
    format: `${what.padEnd(6)} {bar} {value} of {total}`,
    stream: process.stderr,
    hideCursor: true,
    clearOnComplete: true,
  })
  if (process.stderr.isTTY) bar.start(items.length, 0)
  const answers: Answer[] = []
  try {
    for (let start = 0; start < items.length; start += BATCH) {
      answers.push(...(await Promise.all(items.slice(start, start + BATCH).map(ask))))
      bar.update(answers.length)
    }
  } finally {
    bar.stop()
  }
  return answers
}
