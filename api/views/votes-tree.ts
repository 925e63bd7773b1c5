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

/** What the worker is asked: the root of a tree, and a leaf's proof where there is a leaf. */
interface TreeQuestion {
  id: number
  /** The tree's name. */
  tree: string
  leafEncoding: typeof LEAF_ENCODING
  /** What the tree is made of, unless the worker should have it still. */
  leaves?: VotesLeaf[]
  leaf?: VotesLeaf
}

/** What it answers; null where it does not have the tree. */
interface TreeAnswer {
  id: number
  proof: VotesProof | null
}

let worker: Worker | undefined
let lastId = 0
const waiting = new Map<number, { resolve: (proof: VotesProof | null) => void; reject: (error: Error) => void }>()

/** The root of the tree of some leaves, at least one, and the proof of one of them where one is given. */
export async function proveVotes(tree: string, leaves: () => VotesLeaf[], leaf?: VotesLeaf): Promise<VotesProof> {
  const about = { tree, leafEncoding: LEAF_ENCODING, ...(leaf === undefined ? {} : { leaf }) }
  const proof = (await ask(about)) ?? (await ask({ ...about, leaves: leaves() }))
  if (proof === null) throw new Error('no Merkle tree was made')
  return proof
}

function ask(question: Omit<TreeQuestion, 'id'>): Promise<VotesProof | null> {
  worker ??= startWorker()
  const id = ++lastId
  const answer = new Promise<VotesProof | null>((resolve, reject) => waiting.set(id, { resolve, reject }))
  worker.postMessage({ ...question, id })
  return answer
}

function startWorker(): Worker {
  const started = new Worker(new URL('./votes-tree-worker.mjs', import.meta.url))
  // Nobody waits for it who does not wait for an answer.
  started.unref()
  started.on('message', ({ id, proof }: TreeAnswer) => {
    waiting.get(id)?.resolve(proof)
    waiting.delete(id)
  })
  started.on('error', (error: Error) => {
    worker = undefined
    for (const { reject } of waiting.values()) reject(error)
    waiting.clear()
  })
  return started
}
