import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import solc from 'solc'
import { type Abi, createWalletClient, type Hex, http, publicActions } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { foundry } from 'viem/chains'

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

/** The key of the first account every anvil has. */
const KEY = '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80'

/** A contract on an anvil of its own that verifies proofs. */
export interface MerkleProofVerifier {
  verify(proof: Hex[], root: Hex, account: Hex, votes: bigint): Promise<boolean>
  stop(): void
}

/** Compiles the contract and deploys it. */
export async function startMerkleProofVerifier(): Promise<MerkleProofVerifier> {
  const { abi, bytecode } = compile()
  const anvil = spawn(process.execPath, [require.resolve('@foundry-rs/anvil/bin.mjs'), '--port', '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    const client = createWalletClient({
      account: privateKeyToAccount(KEY),
      chain: foundry,
      transport: http(await listening(anvil)),
    }).extend(publicActions)
    const hash = await client.deployContract({ abi, bytecode, args: [] })
    const { contractAddress: address } = await client.waitForTransactionReceipt({ hash, pollingInterval: 50 })
    if (!address) throw new Error('the contract was not deployed')
    return {
      verify: async (...args) => (await client.readContract({ address, abi, functionName: 'verify', args })) as boolean,
      stop: () => anvil.kill(),
    }
  } catch (error) {
    anvil.kill()
    throw error
  }
}

function listening(anvil: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = ''
    // Read to the end: anvil stops where nobody takes what it prints.
    anvil.stdout?.setEncoding('utf8').on('data', (text: string) => {
      output += text
      const address = /Listening on (\S+)/.exec(output)?.[1]
      if (address !== undefined) resolve(`http://${address}`)
    })
    anvil.once('close', () => reject(new Error(`anvil ended:\n${output}`)))
    anvil.once('error', reject)
  })
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
