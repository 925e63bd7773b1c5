import { readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Command } from 'commander'
import { parse } from 'yaml'
import { knownChainId, publicNetwork, readNetwork } from './networks.ts'
import { StackError } from './processes.ts'
import { chooseSubgraph, networkManifest } from './subgraph-build.ts'

const PROJECT = fileURLToPath(new URL('..', import.meta.url))

/** What `npm run manifest` wrote: paths of a manifest, and of its addresses in the format of graph-cli's --network-file. */
export interface WrittenManifest {
  manifest: string
  networksFile: string
  /** Data sources of the subgraph that the network has no contract for. */
  leftOut: readonly string[]
}

/**
 * Writes the manifest to deploy for a network, with the network's addresses, start blocks and settings in it, into the
 * project's folder, as its paths lead from there. `like` names the public network that the contracts are as on.
 */
export async function writeManifest(network: string, networksFile: string, like?: string): Promise<WrittenManifest> {
  const contracts = await readNetwork(networksFile, network)
  const chainId = knownChainId(network)
  const likeness = like ?? (chainId === undefined ? undefined : publicNetwork(chainId))
  const { manifest, leftOut } = chooseSubgraph(PROJECT, network, contracts, likeness)
  const text = networkManifest(readFileSync(join(PROJECT, manifest), 'utf8'), network, contracts)
  const { dataSources } = parse(text) as {
    dataSources: { name: string; source: { address: string; startBlock: number } }[]
  }
  const written = join(PROJECT, `deploy.${network}.yaml`)
  const addresses = join(PROJECT, `deploy.${network}.json`)
  writeFileSync(written, text)
  // graph-cli looks contracts up by the names of data sources, and takes start blocks from here too.
  const sources = dataSources.map(({ name, source: { address, startBlock } }) => [name, { address, startBlock }])
  writeFileSync(addresses, `${JSON.stringify({ [network]: Object.fromEntries(sources) }, null, 2)}\n`)
  return { manifest: written, networksFile: addresses, leftOut }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main()

async function main(): Promise<void> {
  const program = new Command('npm run manifest --')
    .description(
      'Writes what to deploy for a network to a graph-node of your own, a hosted service or The Graph Network: a manifest\n' +
        'with the addresses, start blocks and settings of a networks file in place.',
    )
    .argument('<network>', 'by its name in the networks file')
    .option('--networks-file <file>', 'addresses and start blocks by network', join(PROJECT, 'subgraph/networks.json'))
    .option('--like <network>', 'the public network whose contracts a test network has: mainnet or arbitrum-one')
    .parse()
  const { networksFile, like } = program.opts<{ networksFile: string; like?: string }>()
  const [network = ''] = program.args
  try {
    const written = await writeManifest(network, networksFile, like)
    const manifest = relative(process.cwd(), written.manifest)
    for (const name of written.leftOut) console.error(`${name} has no address on ${network} and is left out`)
    console.log(manifest)
    console.error(`\nto deploy it:\n  npx graph deploy NAME ${manifest} --node URL --ipfs URL`)
  } catch (error) {
    if (!(error instanceof StackError)) throw error
    console.error(error.message)
    process.exitCode = 1
  }
}
