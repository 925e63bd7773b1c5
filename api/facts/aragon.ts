import { integer } from '../rules/integer.ts'
import type { AragonExecution, AragonVote } from '../rules/proposal.ts'
import { type EntityOf, type ListReaders, logPosition, type Names } from './lists.ts'
import { append, type FactsByKey, type Since, Timeline } from './timeline.ts'

/** What a holder of a voting token has, wei. */
export interface TokenBalance {
  holder: string
  balance: bigint
}

/** What is held of Aragon DAOs: votes in one list, executions by vote, balances by token and holder. */
export interface AragonLayer {
  votes: FactsByKey<AragonVote & Since>
  executions: FactsByKey<Since & { execution: AragonExecution; script: string | null }>
  balances: FactsByKey<TokenBalance & Since>
  /** Who ever held a token. */
  holders: Map<string, Set<string>>
}

/** Nothing of any DAO. */
export function newAragonLayer(): AragonLayer {
  return { votes: new Map(), executions: new Map(), balances: new Map(), holders: new Map() }
}

const ALL = ''
/** Stands for the total supply of a token. */
const ZERO_ADDRESS = `0x${'0'.repeat(40)}`

/** How lists about Aragon DAOs are read. */
export const aragonLists: ListReaders<'aragonVotes' | 'aragonVoteExecutions' | 'tokenBalances', AragonLayer> = {
  aragonVotes: {
    blockOf: ({ block }) => block,
    hold: (vote, layer, _, names) => append(layer.votes, ALL, aragonVote(vote, names)),
  },
  aragonVoteExecutions: {
    blockOf: ({ block }) => block,
    hold: (execution, layer) => {
      const { vote, firstLogIndex, block } = execution
      const fact = { script: vote.script ?? null, execution: { firstLogIndex, at: logPosition(execution) }, block }
      return append(layer.executions, vote.id, fact)
    },
  },
  tokenBalances: {
    blockOf: ({ fromBlock }) => fromBlock,
    hold: ({ token, holder, balance, fromBlock }, layer, _, names) => {
      const [address, account] = [names.of(token.id), names.of(holder.id)]
      layer.holders.set(address, (layer.holders.get(address) ?? new Set()).add(account))
      const fact = { holder: account, balance: integer(balance), block: fromBlock }
      return append(layer.balances, balanceKey(address, account), fact)
    },
  },
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
  readonly #votes: Timeline<AragonVote & Since>
  readonly #executions: Timeline<Since & { execution: AragonExecution; script: string | null }>
  readonly #balances: Timeline<TokenBalance & Since>
  readonly #holders: readonly ReadonlyMap<string, ReadonlySet<string>>[]

  constructor(final: AragonLayer, tail: AragonLayer, mark: number, block: number) {
    this.#votes = new Timeline(final.votes, tail.votes, mark, block)
    this.#executions = new Timeline(final.executions, tail.executions, mark, block)
    this.#balances = new Timeline(final.balances, tail.balances, mark, block)
    this.#holders = [final.holders, tail.holders]
  }

  /** All votes, in the order they started. */
  votes(): AragonVote[] {
    return this.#votes.all(ALL).map((vote) => {
      const executed = this.#executions.last(vote.id)
      return { ...vote, script: vote.script ?? executed?.script ?? null, execution: executed?.execution ?? null }
    })
  }

  /** Addresses of the voting tokens that anything is known of, in order. */
  votingTokens(): string[] {
    const tokens = new Set(this.#holders.flatMap((holders) => [...holders.keys()]))
    return [...tokens].filter((token) => this.#heldOf(token).length > 0).sort()
  }

  /** Who has how much of a voting token, wei, in no order; those with nothing are left out. */
  tokenHolders(token: string): TokenBalance[] {
    return this.#heldOf(token).filter(({ holder, balance }) => holder !== ZERO_ADDRESS && balance > 0n)
  }

  /** What a holder has of a voting token, wei; 0 for who never had any. */
  tokenBalance(token: string, holder: string): bigint {
    return holder === ZERO_ADDRESS ? 0n : (this.#balances.last(balanceKey(token, holder))?.balance ?? 0n)
  }

  /** All that there is of a voting token, wei. */
  totalSupply(token: string): bigint {
    return this.#balances.last(balanceKey(token, ZERO_ADDRESS))?.balance ?? 0n
  }

  #heldOf(token: string): TokenBalance[] {
    const holders = new Set(this.#holders.flatMap((held) => [...(held.get(token) ?? [])]))
    return [...holders].flatMap((holder) => this.#balances.last(balanceKey(token, holder)) ?? [])
  }
}
