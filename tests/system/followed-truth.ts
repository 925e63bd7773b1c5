import type { FollowedChain } from '../../api/facts/followed-chain.ts'
import { compareGovernance, type GovernanceTruth } from './governance-truth.ts'
import { type Comparison, compareStake, type LivepeerTruth } from './livepeer-truth.ts'
import { serveFacts } from './serve.ts'

/** Compares all that is told of a chain that was followed to its end with what the contracts said. */
export async function compareFollowed(
  followed: FollowedChain | undefined,
  truth: LivepeerTruth & GovernanceTruth,
): Promise<Comparison> {
  if (followed === undefined) throw new Error('nothing is followed')
  const { roundLength } = truth.meta
  const server = await serveFacts([
    {
      network: followed.network,
      roundLength,
      lptAddresses: followed.lptAddresses,
      get facts() {
        return followed.facts
      },
      get state() {
        return followed.state
      },
      factsAt: (pin) => followed.factsAt(pin),
      roundAt: async ({ head }) => Math.floor(head.block / roundLength),
    },
  ])
  try {
    const stake = await compareStake(server.url, truth)
    const governance = await compareGovernance(server.url, truth)
    return {
      compared: stake.compared + governance.compared,
      differences: [...stake.differences, ...governance.differences],
    }
  } finally {
    await server.close()
  }
}
