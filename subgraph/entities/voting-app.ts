import { Address, BigInt, Bytes, dataSource, ethereum } from '@graphprotocol/graph-ts'
import { VotingApp } from '../generated/schema'
import { Voting } from '../generated/Voting/Voting'
import { countCalls } from '../protocol/evm-script'

/**
 * The app, not saved when new. Voting.initialize emits nothing, so at the app's first event its settings are asked of the
 * contract; where that does not answer they come from the data source's context. What neither tells is asked again at each
 * later event: it is as it was, as a change of it would have told it.
 */
export function getOrCreateVotingApp(address: Address): VotingApp {
  const stored = VotingApp.load(address)
  const app = stored == null ? newVotingApp(address) : stored
  const contract = Voting.bind(address)
  if (!app.supportRequiredPct) {
    app.supportRequiredPct = numberOf(contract.try_supportRequiredPct(), 'supportRequiredPct')
  }
  if (!app.minAcceptQuorumPct) {
    app.minAcceptQuorumPct = numberOf(contract.try_minAcceptQuorumPct(), 'minAcceptQuorumPct')
  }
  if (!app.voteTime) app.voteTime = numberOf(contract.try_voteTime(), 'voteTime')
  if (!app.token) {
    const token = contract.try_token()
    app.token = token.reverted ? configuredAddress('token') : token.value
  }
  return app
}

function newVotingApp(address: Address): VotingApp {
  const app = new VotingApp(address)
  app.tokenManager = configuredAddress('tokenManager')
  app.vault = configuredAddress('vault')
  app.finance = configuredAddress('finance')
  app.callLogIndices = []
  return app
}

/** Notes where a call of a vote's script was logged; the vote itself is told only when all its calls are done. */
export function pushScriptCall(app: VotingApp, event: ethereum.Event): void {
  const transaction = app.callsTransaction
  if (!transaction || transaction != event.transaction.hash) app.callLogIndices = []
  const calls = app.callLogIndices
  calls.push(event.logIndex.toI32())
  app.callLogIndices = calls
  app.callsTransaction = event.transaction.hash
}

/**
 * Takes the calls of a script that ended off those noted, and gives where the first was logged; the ending event's own
 * place where the script calls nothing. Executions nest and an inner one ends first, so the last calls are the script's.
 */
export function popScriptCalls(app: VotingApp, script: Bytes, event: ethereum.Event): i32 {
  const calls = app.callLogIndices
  let firstLogIndex = event.logIndex.toI32()
  for (let left = countCalls(script); left > 0 && calls.length > 0; left--) firstLogIndex = calls.pop()
  app.callLogIndices = calls
  return firstLogIndex
}

function numberOf(answer: ethereum.CallResult<BigInt>, key: string): BigInt | null {
  if (!answer.reverted) return answer.value
  const configured = dataSource.context().get(key)
  return configured == null ? null : configured.toBigInt()
}

function configuredAddress(key: string): Bytes | null {
  const configured = dataSource.context().get(key)
  return configured == null ? null : configured.toBytes()
}
