import { Bytes, ethereum } from '@graphprotocol/graph-ts'
import { recordSettingChange } from '../subgraph/entities/governor-setting-change'
import { setLogPosition } from '../subgraph/entities/log'
import { getOrCreateProtocol } from '../subgraph/entities/protocol'
import { TimelockEvent } from '../subgraph/generated/schema'
import {
  CallExecuted as CallExecutedEvent,
  CallScheduled as CallScheduledEvent,
  Cancelled as CancelledEvent,
  MinDelayChange as MinDelayChangeEvent,
} from '../subgraph/generated/Treasury/Treasury'
import { logId } from '../subgraph/ids'

/** A call put into the timelock. */
export function handleCallScheduled(event: CallScheduledEvent): void {
  const scheduled = newTimelockEvent(event, event.params.id, 'SCHEDULED')
  scheduled.index = event.params.index
  scheduled.target = event.params.target
  scheduled.value = event.params.value
  scheduled.data = event.params.data
  scheduled.delay = event.params.delay
  scheduled.save()
}

/** A call carried out. */
export function handleCallExecuted(event: CallExecutedEvent): void {
  const executed = newTimelockEvent(event, event.params.id, 'EXECUTED')
  executed.index = event.params.index
  executed.target = event.params.target
  executed.value = event.params.value
  executed.data = event.params.data
  executed.save()
}

/** All calls of an operation taken out of the timelock. */
export function handleCancelled(event: CancelledEvent): void {
  newTimelockEvent(event, event.params.id, 'CANCELED').save()
}

/** Seconds between queueing and execution. */
export function handleMinDelayChange(event: MinDelayChangeEvent): void {
  recordSettingChange(event, 'MIN_DELAY', event.params.oldDuration, event.params.newDuration)
}

function newTimelockEvent(event: ethereum.Event, operation: Bytes, kind: string): TimelockEvent {
  const timelockEvent = new TimelockEvent(logId(event))
  timelockEvent.kind = kind
  timelockEvent.operation = operation
  setLogPosition(timelockEvent, event, getOrCreateProtocol())
  return timelockEvent
}
