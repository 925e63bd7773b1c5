import { Worker } from 'node:worker_threads'

/** How OpenZeppelin's standard tree encodes a leaf: whose votes, and how many wei. */
export const LEAF_ENCODING = ['address', 'uint256'] as const

/** Whose votes, and how many wei. */
export type VotesLeaf = [string, bigint]

/** What proves an account's votes against the Merkle root, with OpenZeppelin's MerkleProof.verify. */
export interface VotesProof {
  root: string
  /** Hash of (account, votes). */
  leaf: string
  proof: string[]
}

/** What the worker is asked: the root of a tree with a leaf's proof where there is a leaf, or the whole tree. */
interface TreeQuestion {
  id: number
  asked: 'proof' | 'dump'
  /** The tree's name. */
  tree: string
  leafEncoding: typeof LEAF_ENCODING
  /** What the tree is made of, unless the worker should have it still. */
  leaves?: VotesLeaf[]
  leaf?: VotesLeaf
}

/** What it tells of a tree; the dump only where it is asked. */
interface ToldOfTree {
  proof: VotesProof
  dump: string | null
}

/** What it answers; null where it does not have the tree. */
interface TreeAnswer {
  id: number
  told: ToldOfTree | null
}

let worker: Worker | undefined
let lastId = 0
const waiting = new Map<number, { resolve: (told: ToldOfTree | null) => void; reject: (error: Error) => void }>()

/** The root of the tree of some leaves, at least one, and the proof of one of them where one is given. */
export async function proveVotes(tree: string, leaves: () => VotesLeaf[], leaf?: VotesLeaf): Promise<VotesProof> {
  const { proof } = await ask({ tree, asked: 'proof', ...(leaf === undefined ? {} : { leaf }) }, leaves)
  return proof
}

/** The tree of some leaves, at least one, as the JSON of StandardMerkleTree.dump(), with amounts as decimal strings. */
export async function dumpVotes(tree: string, leaves: () => VotesLeaf[]): Promise<string> {
  const { dump } = await ask({ tree, asked: 'dump' }, leaves)
  if (dump === null) throw new Error('the Merkle tree was not told')
  return dump
}

async function ask(
  question: Pick<TreeQuestion, 'tree' | 'asked' | 'leaf'>,
  leaves: () => VotesLeaf[],
): Promise<ToldOfTree> {
  const about = { ...question, leafEncoding: LEAF_ENCODING }
  const told = (await askWorker(about)) ?? (await askWorker({ ...about, leaves: leaves() }))
  if (told === null) throw new Error('no Merkle tree was made')
  return told
}

function askWorker(question: Omit<TreeQuestion, 'id'>): Promise<ToldOfTree | null> {
  worker ??= startWorker()
  const id = ++lastId
  const answer = new Promise<ToldOfTree | null>((resolve, reject) => waiting.set(id, { resolve, reject }))
  worker.postMessage({ ...question, id })
  return answer
}

function startWorker(): Worker {
  const started = new Worker(new URL('./votes-tree-worker.mjs', import.meta.url))
  // Nobody waits for it who does not wait for an answer.
  started.unref()
  started.on('message', ({ id, told }: TreeAnswer) => {
    waiting.get(id)?.resolve(told)
    waiting.delete(id)
  })
  started.on('error', (error: Error) => {
    worker = undefined
    for (const { reject } of waiting.values()) reject(error)
    waiting.clear()
  })
  return started
}
