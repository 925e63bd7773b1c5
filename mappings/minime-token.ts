import { getOrCreateVotingToken, moveTokens } from '../subgraph/entities/voting-token'
import { Transfer as TransferEvent } from '../subgraph/generated/TDT/MiniMeToken'

/** Voting power moved, minted or burned. */
export function handleTransfer(event: TransferEvent): void {
  const token = getOrCreateVotingToken(event.address)
  moveTokens(token, event.params.from, event.params.to, event.params.amount, event.block.number.toI32())
  token.save()
}
