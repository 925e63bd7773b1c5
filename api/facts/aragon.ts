import { integer } from '../rules/integer.ts'
import type { AragonExecution, AragonVote } from '../rules/proposal.ts'
import { ALL, type EntityOf, logPosition, type Names, series, type Timelines } from './series.ts'
import type { Since } from './timeline.ts'

/** What a holder of a voting token has, wei. */
export interface TokenBalance {
  holder: string
  balance: bigint
}

/** Stands for the total supply of a token. */
const ZERO_ADDRESS = `0x${'0'.repeat(40)}`

/** Facts of Aragon DAOs: votes in one list, executions by vote, balances by token and holder. */
export const aragonSeries = {
  aragonVotes: series('aragonVotes', (vote, names) => [ALL, aragonVote(vote, names)]),
  executions: series(
    'aragonVoteExecutions',
    (execution): [string, AragonExecution & Since & { script: string | null }] => {
      const { vote, firstLogIndex, block } = execution
      return [vote.id, { firstLogIndex, at: logPosition(execution), script: vote.script ?? null, block }]
    },
  ),
  balances: series('tokenBalances', ({ token, holder, balance, fromBlock }, names): [string, TokenBalance & Since] => [
    balanceKey(token.id, holder.id),
    { holder: names.of(holder.id), balance: integer(balance), block: fromBlock },
  ]),
  /** Who ever held a token, by token. */
  holders: series('tokenBalances', ({ token, holder, fromBlock }, names) => [
    names.of(token.id),
    { holder: names.of(holder.id), block: fromBlock },
  ]),
}

function balanceKey(token: string, holder: string): string {
  return `${token} ${holder}`
}

function aragonVote(vote: EntityOf<'aragonVotes'>, names: Names): AragonVote & Since {
  return {
    system: 'ARAGON',
    id: names.of(vote.id),
    app: names.of(vote.app.id),
    voteId: integer(vote.voteId),
    proposer: names.of(vote.proposer.id),
    createdAt: logPosition(vote),
    metadata: vote.metadata,
    snapshotBlock: vote.snapshotBlock,
    token: vote.app.token?.id ?? null,
    vault: vote.app.vault ?? null,
    supportRequired: integerOrNull(vote.supportRequired),
    minAcceptQuorum: integerOrNull(vote.minAcceptQuorum),
    voteTime: integerOrNull(vote.voteTime),
    votingPower: integerOrNull(vote.votingPower),
    script: vote.script ?? null,
    execution: null,
    block: vote.block,
  }
}

function integerOrNull(text: string | null | undefined): bigint | null {
  return typeof text === 'string' ? integer(text) : null
}

/** Everything about Aragon votes and voting tokens as of the end of a block. */
export class AragonFacts {
  constructor(private readonly facts: Timelines<typeof aragonSeries>) {}

  /** All votes, in the order they started. */
  votes(): AragonVote[] {
    return this.facts.aragonVotes.all(ALL).map((vote) => {
      const execution = this.facts.executions.last(vote.id) ?? null
      return { ...vote, script: vote.script ?? execution?.script ?? null, execution }
    })
  }

  /** Addresses of the voting tokens that anything is known of, in order. */
  votingTokens(): string[] {
    const { holders } = this.facts
    return [...holders.keys()].filter((token) => holders.last(token) !== undefined).sort()
  }

  /** Who has how much of a voting token, wei, in no order; those with nothing are left out. */
  tokenHolders(token: string): TokenBalance[] {
    const holders = new Set(this.facts.holders.all(token).map(({ holder }) => holder))
    holders.delete(ZERO_ADDRESS)
    return [...holders]
      .map((holder) => ({ holder, balance: this.tokenBalance(token, holder) }))
      .filter(({ balance }) => balance > 0n)
  }

  /** What a holder has of a voting token, wei; 0 for who never had any. */
  tokenBalance(token: string, holder: string): bigint {
    return holder === ZERO_ADDRESS ? 0n : (this.facts.balances.last(balanceKey(token, holder))?.balance ?? 0n)
  }

  /** All that there is of a voting token, wei. */
  totalSupply(token: string): bigint {
    return this.facts.balances.last(balanceKey(token, ZERO_ADDRESS))?.balance ?? 0n
  }
}
