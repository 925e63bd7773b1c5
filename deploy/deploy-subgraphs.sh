#!/bin/sh
# Deploys the subgraph of each network in NETWORKS to the graph-node at ADMIN, its files by the IPFS node at IPFS. One that
# is deployed already goes on where it is; a changed one is indexed beside it.
set -eu
for network in $NETWORKS; do
  name="livepeer-governance/$network"
  npm run --silent manifest -- "$network"
  npx graph create --node "$ADMIN" "$name"
  npx graph deploy --node "$ADMIN" --ipfs "$IPFS" --version-label "$(date -u +%Y%m%d%H%M%S)" \
    --output-dir "build/deploy-$network" "$name" "deploy.$network.yaml"
done
