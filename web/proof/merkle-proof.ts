import { keccak_256 } from '@noble/hashes/sha3.js'
import { bytesToHex, concatBytes, hexToBytes } from '@noble/hashes/utils.js'

/**
 * Merkle proofs of votes, recomputed: as OpenZeppelin's standard Merkle tree makes them and MerkleProof.sol checks them.
 * A leaf is the hash of the hash of the ABI encoding, so that no inner node can pass for one; a pair is hashed lower first.
 */

/** A proof that an account had so many votes. */
export interface VotesProof {
  account: string
  votes: bigint
  /** The hashes beside the path, from the leaf up. */
  proof: readonly string[]
  root: string
  /** As the proof itself says; undefined where it does not. */
  leaf: string | undefined
  round: number | undefined
  network: string | undefined
}

/** A step up the tree. */
export interface Step {
  /** What is hashed with what the path came to. */
  sibling: string
  /** Whether the path came to the lower of both, which is hashed first. */
  isFirst: boolean
  /** The hash of both. */
  result: string
}

/** A proof recomputed. */
export interface Checked {
  leaf: string
  steps: readonly Step[]
  /** Where the path ends. */
  root: string
  /** What is wrong, in sentences; nothing where the proof holds. */
  faults: readonly string[]
}

const hash = (bytes: Uint8Array) => `0x${bytesToHex(keccak_256(bytes))}`
const bytesOf = (hex: string) => hexToBytes(hex.slice(2))

/** keccak256(keccak256(abi.encode(account, votes))). */
export function leafOf(account: string, votes: bigint): string {
  const encoded = account.slice(2).toLowerCase().padStart(64, '0') + votes.toString(16).padStart(64, '0')
  return hash(keccak_256(hexToBytes(encoded)))
}

/** The steps from a leaf up, one for each hash of the proof. */
export function climb(leaf: string, proof: readonly string[]): Step[] {
  let node = leaf
  return proof.map((sibling) => {
    // Both are lower case of one length, so that text is ordered as the numbers are.
    const isFirst = node < sibling
    const pair = isFirst ? [node, sibling] : [sibling, node]
    node = hash(concatBytes(...pair.map(bytesOf)))
    return { sibling, isFirst, result: node }
  })
}

/** Where the path from a leaf ends. */
function rootFrom(leaf: string, proof: readonly string[]): string {
  return climb(leaf, proof).at(-1)?.result ?? leaf
}

/** Recomputes a proof, and where it does not hold says as closely as can be told what is wrong. */
export function checkProof({ account, votes, proof, root, leaf }: VotesProof): Checked {
  const computed = leafOf(account, votes)
  const steps = climb(computed, proof)
  const end = steps.at(-1)?.result ?? computed
  const faults: string[] = []
  const isLeafRight = leaf === undefined || leaf === computed
  if (!isLeafRight) faults.push(`The leaf is not the hash of this account and these votes: that is ${computed}`)
  if (end !== root) faults.push(whyNotReached({ computed, leaf, proof, root, end }))
  return { leaf: computed, steps, root: end, faults }
}

function whyNotReached(wrong: {
  computed: string
  leaf: string | undefined
  proof: readonly string[]
  root: string
  end: string
}): string {
  const { computed, leaf, proof, root, end } = wrong
  if (leaf !== undefined && leaf !== computed && rootFrom(leaf, proof) === root) {
    return 'The path leads from the leaf it names to the root: the path is right, the account or its votes were changed'
  }
  const swapped = swappedPair(computed, proof, root)
  if (swapped !== undefined) {
    return `The hashes ${swapped[0] + 1} and ${swapped[1] + 1} of the path stand in each other’s place`
  }
  const surplus = proof.findIndex((_, index) => rootFrom(computed, proof.toSpliced(index, 1)) === root)
  if (surplus >= 0) return `The path has one hash too many: without the one at ${surplus + 1} it ends at the root`
  return `The path ends at ${end}, not at the root: a hash of it or the root was changed, one is missing, or it is of another account or round`
}

/** Two hashes that have to change places for the path to end at the root. */
function swappedPair(leaf: string, proof: readonly string[], root: string): readonly [number, number] | undefined {
  for (let a = 0; a < proof.length; a++) {
    for (let b = a + 1; b < proof.length; b++) {
      const other = proof.map(
        (sibling, index) => (index === a ? proof[b] : index === b ? proof[a] : sibling) ?? sibling,
      )
      if (rootFrom(leaf, other) === root) return [a, b]
    }
  }
  return undefined
}

/** A tree of more levels would have more leaves than there are accounts. */
const LONGEST = 64

/** A proof out of JSON that anybody wrote, as the API's file has it; or in sentences, why it is none. */
export function readProof(text: string): VotesProof | readonly string[] {
  let told: unknown
  try {
    told = JSON.parse(text)
  } catch {
    return ['This is not JSON']
  }
  if (typeof told !== 'object' || told === null || Array.isArray(told)) return ['This is not a JSON object']
  const fields = told as Readonly<Record<string, unknown>>
  const faults: string[] = []
  const [account, votes] = Array.isArray(fields.value) ? fields.value : [fields.account, fields.votes]
  if (!Array.isArray(fields.value) && fields.account === undefined) {
    faults.push('There is no "value": a list of the account and its votes')
  }
  if (fields.leafEncoding !== undefined && String(fields.leafEncoding) !== 'address,uint256') {
    faults.push('"leafEncoding" is not ["address", "uint256"]: it is of another kind of tree')
  }
  if (!isHex(account, 20)) faults.push('The account is no address: 0x and 40 hex digits')
  const amount = wholeOf(votes)
  if (amount === undefined) faults.push('The votes are no whole number of wei below 2^256, written as text')
  const { proof, root, leaf } = fields
  if (!Array.isArray(proof)) faults.push('There is no "proof": a list of hashes')
  else {
    if (proof.length > LONGEST) faults.push(`The path has ${proof.length} hashes; no tree is that high`)
    const wrong = proof.findIndex((sibling) => !isHex(sibling, 32))
    if (wrong >= 0) faults.push(`Hash ${wrong + 1} of the path is not 32 bytes: 0x and 64 hex digits`)
  }
  if (root === undefined) faults.push('There is no "root" to end at')
  else if (!isHex(root, 32)) faults.push('The root is not 32 bytes: 0x and 64 hex digits')
  if (leaf !== undefined && !isHex(leaf, 32)) faults.push('The leaf is not 32 bytes: 0x and 64 hex digits')
  if (faults.length > 0 || amount === undefined) return faults
  const lower = (hex: unknown) => String(hex).toLowerCase()
  return {
    account: lower(account),
    votes: amount,
    proof: (proof as readonly unknown[]).map(lower),
    root: lower(root),
    leaf: leaf === undefined ? undefined : lower(leaf),
    round: typeof fields.round === 'number' && Number.isSafeInteger(fields.round) ? fields.round : undefined,
    network: typeof fields.network === 'string' ? fields.network : undefined,
  }
}

function isHex(value: unknown, bytes: number): value is string {
  return typeof value === 'string' && value.length === 2 + 2 * bytes && /^0x[0-9a-f]*$/i.test(value)
}

/** A number in JSON has lost digits where it is large: only text and small numbers are believed. */
function wholeOf(value: unknown): bigint | undefined {
  const isWhole =
    typeof value === 'number' ? Number.isSafeInteger(value) && value >= 0 : /^\d{1,78}$/.test(String(value))
  if (!isWhole || (typeof value !== 'string' && typeof value !== 'number')) return undefined
  const amount = BigInt(value)
  return amount < 2n ** 256n ? amount : undefined
}

/** In what a proof differs from the one the API gives of the same account and round, in sentences. */
export function differencesOf(theirs: VotesProof, ours: VotesProof): string[] {
  const differences: string[] = []
  if (theirs.votes !== ours.votes) differences.push(`It says ${theirs.votes} wei of votes; they were ${ours.votes}`)
  if (theirs.root !== ours.root) differences.push(`Its root is ${theirs.root}; that of the round is ${ours.root}`)
  if (theirs.proof.length !== ours.proof.length) {
    differences.push(`Its path has ${theirs.proof.length} hashes; it should have ${ours.proof.length}`)
  }
  for (const [index, sibling] of ours.proof.entries()) {
    const other = theirs.proof[index]
    if (other !== undefined && other !== sibling) differences.push(`Hash ${index + 1} of its path should be ${sibling}`)
  }
  return differences
}

/** The check as a contract makes it, with OpenZeppelin's MerkleProof. */
export function solidityOf({ account, votes, proof, root, round, network }: VotesProof): string {
  const where = [round === undefined ? '' : `round ${round}`, network === undefined ? '' : `of ${network}`]
  return [
    '// import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";',
    `bytes32 root = ${root}; // ${where.filter((part) => part !== '').join(' ') || 'the root'}`,
    `bytes32[] memory proof = new bytes32[](${proof.length});`,
    ...proof.map((sibling, index) => `proof[${index}] = ${sibling};`),
    // An address as a literal would have to be written with its checksum.
    `address account = address(bytes20(hex"${account.slice(2)}"));`,
    `uint256 votes = ${votes};`,
    'bytes32 leaf = keccak256(bytes.concat(keccak256(abi.encode(account, votes))));',
    'require(MerkleProof.verify(proof, root, leaf), "no such votes");',
  ].join('\n')
}
