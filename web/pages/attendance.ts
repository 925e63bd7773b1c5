import type { AccountBallotsQuery } from '../generated/account-ballots.ts'

type Ballots = NonNullable<AccountBallotsQuery['account']['ballots']>

/** How an account was counted on one proposal, as the API tells it. */
export type BallotNode = Ballots['nodes'][number]

/** Where an account's power went: by its own vote, by its transcoder's, nowhere; or it may still go somewhere. */
export type Where = 'ITSELF' | 'REPRESENTED' | 'NOWHERE' | 'OPEN' | 'CANCELED'

/** Where the power of a ballot went. Only what was closed and not withdrawn can have been missed. */
export function whereOf({
  vote,
  representedBy,
  proposal,
}: Pick<BallotNode, 'vote' | 'representedBy' | 'proposal'>): Where {
  if (vote !== null) return 'ITSELF'
  if (representedBy !== null) return 'REPRESENTED'
  if (proposal.state === 'CANCELED') return 'CANCELED'
  return proposal.state === 'PENDING' || proposal.state === 'ACTIVE' ? 'OPEN' : 'NOWHERE'
}

/** Power of one token that went to a choice, and all that could have. */
export interface Spoken {
  unit: string
  spoken: bigint
  power: bigint
}

/** How often an account voted, and how much of its power did, over proposals whose voting is closed. */
export interface Attendance {
  closed: number
  itself: number
  represented: number
  nowhere: number
  /** LPT and TDT are no sum. */
  spoken: readonly Spoken[]
}

/** The attendance of an account, by the token that each system weighs votes by. Open and withdrawn proposals count for nothing. */
export function attendanceOf(
  ballots: readonly BallotNode[],
  unitOf: (system: BallotNode['proposal']['system']) => string,
): Attendance {
  const closed = ballots.filter(
    ({ proposal: { state } }) => state !== 'PENDING' && state !== 'ACTIVE' && state !== 'CANCELED',
  )
  const count = (where: Where) => closed.filter((ballot) => whereOf(ballot) === where).length
  const spoken = new Map<string, Spoken>()
  for (const ballot of closed) {
    const unit = unitOf(ballot.proposal.system)
    const sum = spoken.get(unit) ?? { unit, spoken: 0n, power: 0n }
    const power = BigInt(ballot.power)
    const went = whereOf(ballot) === 'NOWHERE' ? 0n : power
    spoken.set(unit, { unit, spoken: sum.spoken + went, power: sum.power + power })
  }
  return {
    closed: closed.length,
    itself: count('ITSELF'),
    represented: count('REPRESENTED'),
    nowhere: count('NOWHERE'),
    spoken: [...spoken.values()].filter(({ power }) => power > 0n),
  }
}
