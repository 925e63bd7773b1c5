import { BigInt, ethereum } from '@graphprotocol/graph-ts'
import { getOrCreateAccount } from '../subgraph/entities/account'
import { getAragonVote, proposerOf, setTerms } from '../subgraph/entities/aragon-vote'
import { setLogPosition } from '../subgraph/entities/log'
import { getOrCreateProtocol } from '../subgraph/entities/protocol'
import { countVote, newVoteCast } from '../subgraph/entities/vote'
import { getOrCreateVotingApp, popScriptCalls, pushScriptCall } from '../subgraph/entities/voting-app'
import { AragonVote, AragonVoteExecution, VotingApp, VotingSettingChange } from '../subgraph/generated/schema'
import {
  CastVote as CastVoteEvent,
  ChangeMinQuorum as ChangeMinQuorumEvent,
  ChangeSupportRequired as ChangeSupportRequiredEvent,
  ExecuteVote as ExecuteVoteEvent,
  LogScriptCall as LogScriptCallEvent,
  ScriptResult as ScriptResultEvent,
  StartVote as StartVoteEvent,
} from '../subgraph/generated/Voting/Voting'
import { aragonVoteId, logId } from '../subgraph/ids'

/** A vote, with the settings and the voting power that are fixed for it now. */
export function handleStartVote(event: StartVoteEvent): void {
  const app = getOrCreateVotingApp(event.address)
  app.save()
  const vote = new AragonVote(aragonVoteId(app.id, event.params.voteId))
  vote.app = app.id
  vote.voteId = event.params.voteId
  vote.creator = event.params.creator
  vote.proposer = getOrCreateAccount(proposerOf(event.params.creator, event)).id
  vote.metadata = event.params.metadata
  vote.snapshotBlock = event.block.number.toI32() - 1
  setTerms(vote, app)
  setLogPosition(vote, event, getOrCreateProtocol())
  vote.save()
}

/** A voter's choice, its first or a changed one; the last one counts. */
export function handleCastVote(event: CastVoteEvent): void {
  const vote = getAragonVote(event.address, event.params.voteId)
  const choice = BigInt.fromI32(event.params.supports ? 1 : 0)
  const cast = newVoteCast(event, getOrCreateProtocol(), vote.id, event.params.voter, choice)
  cast.weight = event.params.stake
  cast.save()
  countVote(cast, vote.id)
}

/** A vote's script is about to make a call; what the call does follows. */
export function handleLogScriptCall(event: LogScriptCallEvent): void {
  const app = getOrCreateVotingApp(event.address)
  pushScriptCall(app, event)
  app.save()
}

/** A vote's script has run to its end; which vote's, the next log tells. */
export function handleScriptResult(event: ScriptResultEvent): void {
  const app = getOrCreateVotingApp(event.address)
  app.finishedScript = event.params.script
  app.save()
}

/** A vote executed: its script and its calls are those that have just ended. */
export function handleExecuteVote(event: ExecuteVoteEvent): void {
  const app = getOrCreateVotingApp(event.address)
  const vote = getAragonVote(event.address, event.params.voteId)
  // Voting logs no ExecuteVote before the script's ScriptResult (_unsafeExecuteVote).
  const script = app.finishedScript!
  const execution = new AragonVoteExecution(logId(event))
  execution.vote = vote.id
  execution.firstLogIndex = popScriptCalls(app, script, event)
  setLogPosition(execution, event, getOrCreateProtocol())
  execution.save()
  vote.script = script
  vote.execution = execution.id
  vote.save()
  app.finishedScript = null
  app.save()
}

/** Support that votes from now on require. */
export function handleChangeSupportRequired(event: ChangeSupportRequiredEvent): void {
  const app = getOrCreateVotingApp(event.address)
  app.supportRequiredPct = event.params.supportRequiredPct
  recordSettings(event, app)
}

/** Quorum that votes from now on require. */
export function handleChangeMinQuorum(event: ChangeMinQuorumEvent): void {
  const app = getOrCreateVotingApp(event.address)
  app.minAcceptQuorumPct = event.params.minAcceptQuorumPct
  recordSettings(event, app)
}

function recordSettings(event: ethereum.Event, app: VotingApp): void {
  app.save()
  const change = new VotingSettingChange(logId(event))
  change.app = app.id
  change.supportRequiredPct = app.supportRequiredPct
  change.minAcceptQuorumPct = app.minAcceptQuorumPct
  setLogPosition(change, event, getOrCreateProtocol())
  change.save()
}
