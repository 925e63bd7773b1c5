import { Bytes, ethereum } from '@graphprotocol/graph-ts'
import { Contradiction, Protocol } from '../generated/schema'
import { contradictionId } from '../ids'
import { setLogPosition } from './log'

/** Writes down that an event cannot follow from those before it; about is DELEGATOR, TRANSCODER, ROUND or PROPOSAL. */
export function recordContradiction(
  protocol: Protocol,
  event: ethereum.Event,
  account: Bytes,
  about: string,
  message: string,
): void {
  const contradiction = new Contradiction(contradictionId(protocol.contradictions))
  contradiction.message = message
  contradiction.account = account
  contradiction.about = about
  setLogPosition(contradiction, event, protocol)
  contradiction.save()
  protocol.contradictions += 1
  protocol.save()
}
