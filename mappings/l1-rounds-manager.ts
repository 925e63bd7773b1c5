import { L1Stake } from '../subgraph/entities/l1-stake'
import { beginRound, isLaterRound } from '../subgraph/entities/round'
import { takePendingCommission } from '../subgraph/entities/transcoder'
import { confirmActiveSet, NOT_TOLD, numActiveTranscoders } from '../subgraph/entities/v1-active-set'
import {
  NewRound as NewRoundEvent,
  NewRound1 as NewRoundV1Event,
} from '../subgraph/generated/RoundsManager/RoundsManagerL1'

/** V1: the first of the pool become the active set of the new round, with the commission they announced. */
export function handleNewRoundV1(event: NewRoundV1Event): void {
  const stake = new L1Stake(event)
  if (!isLaterRound(stake.protocol, event, event.params.round)) return
  const number = event.params.round.toI32()
  const told = numActiveTranscoders(stake.pool)
  let numActive = told == NOT_TOLD ? stake.pool.numActiveTranscoders : told
  stake.setNumActiveTranscoders(numActive)
  const isConfirmed = confirmActiveSet(stake, number)
  const active = stake.activeMembers()
  // That some are not active tells how many can be.
  if (told == NOT_TOLD && active.length < stake.poolMembers().length) numActive = active.length
  stake.protocol.activeSetTold = told != NOT_TOLD || isConfirmed || stake.poolMembers().length == 0
  stake.save()
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
  if (!isLaterRound(stake.protocol, event, event.params.round)) return
  const number = event.params.round.toI32()
  stake.beginStreamflow(number)
  stake.joinWithoutCause()
  stake.save()
  beginRound(stake.protocol, event, number)
}
