import { L1Stake } from '../subgraph/entities/l1-stake'
import { beginRound, isLaterRound } from '../subgraph/entities/round'
import { takePendingCommission } from '../subgraph/entities/transcoder'
import { confirmActiveSet, numActiveTranscoders } from '../subgraph/entities/v1-active-set'
import {
  NewRound as NewRoundEvent,
  NewRound1 as NewRoundV1Event,
} from '../subgraph/generated/RoundsManager/RoundsManagerL1'

/** V1: the first of the pool become the active set of the new round, with the commission they announced. */
export function handleNewRoundV1(event: NewRoundV1Event): void {
  const stake = new L1Stake(event)
  const number = event.params.round.toI32()
  if (!isLaterRound(stake.protocol, event, number)) return
  const numActive = numActiveTranscoders(stake.pool)
  stake.setNumActiveTranscoders(numActive)
  confirmActiveSet(stake, number)
  stake.save()
  const active = stake.activeMembers()
  for (let i = 0; i < active.length; i++) takePendingCommission(active[i])
  beginRound(stake.protocol, event, number)

  if (stake.pool.numActiveTranscoders == numActive) return
  const next = new L1Stake(event)
  next.setNumActiveTranscoders(numActive)
  next.save()
}

/** Streamflow: the whole pool becomes the active set of the new round. */
export function handleNewRound(event: NewRoundEvent): void {
  const stake = new L1Stake(event)
  const number = event.params.round.toI32()
  if (!isLaterRound(stake.protocol, event, number)) return
  stake.beginStreamflow(number)
  stake.joinWithoutCause()
  stake.save()
  beginRound(stake.protocol, event, number)
}
