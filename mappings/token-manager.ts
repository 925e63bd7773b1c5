import { ForwardedCall } from '../subgraph/generated/schema'
import { LogScriptCall as LogScriptCallEvent } from '../subgraph/generated/TokenManager/TokenManager'

/** The TokenManager forwards a call for a holder: if it is for a new vote, this tells who asked. */
export function handleLogScriptCall(event: LogScriptCallEvent): void {
  const call = new ForwardedCall(event.address)
  call.sender = event.params.sender
  call.target = event.params.dst
  call.transactionHash = event.transaction.hash
  call.save()
}
