import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import solc from 'solc'
import type { Abi, Hex } from 'viem'
import { chainClient, startAnvil } from './aragon-contracts.ts'

const require = createRequire(import.meta.url)

/** OpenZeppelin's MerkleProof, and the leaf as a contract that pays out by it would make it. */
const VERIFIER = `// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
contract Verifier {
  function verify(bytes32[] calldata proof, bytes32 root, address account, uint256 votes) external pure returns (bool) {
    bytes32 leaf = keccak256(bytes.concat(keccak256(abi.encode(account, votes))));
    return MerkleProof.verifyCalldata(proof, root, leaf);
  }
}`

/** A contract on an anvil of its own that verifies proofs. */
export interface MerkleProofVerifier {
  verify(proof: Hex[], root: Hex, account: Hex, votes: bigint): Promise<boolean>
  stop(): Promise<void>
}

/** Compiles the contract and deploys it. */
export async function startMerkleProofVerifier(): Promise<MerkleProofVerifier> {
  const { abi, bytecode } = compile()
  const anvil = await startAnvil()
  try {
    const client = chainClient(anvil.url)
    const [account] = await client.getAddresses()
    if (account === undefined) throw new Error('anvil has no account')
    const hash = await client.deployContract({ abi, bytecode, args: [], account })
    const { contractAddress: address } = await client.waitForTransactionReceipt({ hash })
    if (!address) throw new Error('the contract was not deployed')
    return {
      verify: async (...args) => (await client.readContract({ address, abi, functionName: 'verify', args })) as boolean,
      stop: () => anvil.stop(),
    }
  } catch (error) {
    await anvil.stop()
    throw error
  }
}

function compile(): { abi: Abi; bytecode: Hex } {
  const input = {
    language: 'Solidity',
    sources: { 'Verifier.sol': { content: VERIFIER } },
    settings: { outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object'] } } },
  }
  const findImports = (path: string) => ({ contents: readFileSync(require.resolve(path), 'utf8') })
  const { contracts, errors } = JSON.parse(solc.compile(JSON.stringify(input), { import: findImports })) as {
    contracts?: Record<string, Record<string, { abi: Abi; evm: { bytecode: { object: string } } }>>
    errors?: { formattedMessage: string }[]
  }
  const contract = contracts?.['Verifier.sol']?.Verifier
  if (contract === undefined) throw new Error(errors?.map(({ formattedMessage }) => formattedMessage).join('\n'))
  return { abi: contract.abi, bytecode: `0x${contract.evm.bytecode.object}` }
}
