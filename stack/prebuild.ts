// Builds the subgraphs ahead, after an installation, so that the first start need not. Without graph-node there is nothing
// to index here, and a subgraph that does not build is left to the start, which says so.
import { fileURLToPath } from 'node:url'
import { gnd } from './graph-node.ts'
import { buildSubgraph, subgraphManifests } from './subgraph-build.ts'

const PROJECT = fileURLToPath(new URL('..', import.meta.url))

try {
  gnd()
  const { signal } = new AbortController()
  await Promise.all(subgraphManifests(PROJECT).map((manifest) => buildSubgraph(PROJECT, manifest, signal)))
} catch (error) {
  console.error(`the subgraphs are not built: ${error instanceof Error ? error.message : error}`)
}
