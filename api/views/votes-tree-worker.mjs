// Makes Merkle trees of votes, which takes thousands of hashes, beside the thread that answers requests. JavaScript, as a
// worker of Node 20 has no loader for TypeScript; what it is asked and answers is typed in votes-tree.ts.

import { parentPort } from 'node:worker_threads'
import { StandardMerkleTree } from '@openzeppelin/merkle-tree'

/** Trees kept; one of 5,000 leaves takes some megabytes. */
const KEPT = 20
const trees = new Map()

parentPort.on('message', ({ id, asked, tree: name, leafEncoding, leaves, leaf }) => {
  const tree = trees.get(name) ?? (leaves === undefined ? undefined : StandardMerkleTree.of(leaves, leafEncoding))
  if (tree === undefined) {
    parentPort.postMessage({ id, told: null })
    return
  }
  // The one asked for last is dropped last.
  trees.delete(name)
  trees.set(name, tree)
  if (trees.size > KEPT) trees.delete(trees.keys().next().value)
  const proof = leaf === undefined ? { leaf: '', proof: [] } : { leaf: tree.leafHash(leaf), proof: tree.getProof(leaf) }
  const dump = asked === 'dump' ? JSON.stringify(tree.dump(), withDecimals) : null
  parentPort.postMessage({ id, told: { proof: { root: tree.root, ...proof }, dump } })
})

/** A bigint as a decimal string, which JSON has no other form for. */
function withDecimals(_, part) {
  return typeof part === 'bigint' ? String(part) : part
}
