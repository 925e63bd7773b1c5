import { getOrCreateProtocol } from '../subgraph/entities/protocol'
import { SetContractInfo as SetContractInfoEvent } from '../subgraph/generated/Controller/Controller'
import { bondingManagerVersion, isBondingManagerTarget } from '../subgraph/protocol/bonding-manager-version'

/** New code behind a proxy; BondingManager's decides how some of its events are to be read. */
export function handleSetContractInfo(event: SetContractInfoEvent): void {
  if (!isBondingManagerTarget(event.params.id)) return
  const protocol = getOrCreateProtocol()
  protocol.bondingManagerVersion = bondingManagerVersion(event.params.contractAddress)
  protocol.save()
}
