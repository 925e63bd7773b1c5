import { Bytes, ethereum } from '@graphprotocol/graph-ts'
import { Protocol, TranscoderActivation } from '../generated/schema'
import { logId } from '../ids'
import { setLogPosition } from './log'
import { saveAs } from './saving'

/** Writes down that a transcoder joined the pool (ACTIVATED) or left it (DEACTIVATED), active or not from a round on. */
export function recordActivation(
  event: ethereum.Event,
  protocol: Protocol,
  transcoder: Bytes,
  kind: string,
  effectiveRound: i32,
): void {
  const activation = new TranscoderActivation(logId(event))
  activation.transcoder = transcoder
  activation.kind = kind
  activation.effectiveRound = effectiveRound
  setLogPosition(activation, event, protocol)
  saveAs('TranscoderActivation', activation.id, activation)
}
