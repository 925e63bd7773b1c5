import { GraphQLClient } from 'graphql-request'
import type { AragonTruth } from './aragon-truth.ts'
import type { GovernanceTruth } from './governance-truth.ts'
import { Comparer, type Comparison, type LivepeerTruth } from './livepeer-truth.ts'

const SIDES = { FOR: 'for', AGAINST: 'against', ABSTAIN: 'abstain' } as const
type Choice = keyof typeof SIDES

interface Tally {
  for: string
  against: string
  abstain: string
  electorate: string
  quorum: string
  final: boolean
}

interface Recounted {
  tally: Tally
  outcome: { passed: boolean | null; quorumReached: boolean; supportReached: boolean; explanation: string }
  turns: boolean
}

interface Vote {
  voter: string
  choice: Choice
  weight: string
  countedWeight: string
  overrides: string | null
}

interface Absentee {
  account: string
  power: string
  counts: boolean
}

interface Counted extends Omit<Recounted, 'turns'> {
  id: string
  system: 'TREASURY' | 'POLL' | 'ARAGON'
  snapshotRound?: number
  votes: { nodes: Vote[]; totalCount: number }
  rule: {
    quorum: { numerator: string; denominator: string }
    support: { numerator: string; denominator: string }
    quorumChoices: Choice[]
    strict: boolean
    overrides: boolean
  }
  absentees: { nodes: Absentee[]; totalCount: number }
  turnout: { voters: number; cast: string; electorate: string; absent: string; percent: string }
  same: Recounted
  alone: Recounted
}

const COUNT = `tally { for against abstain electorate quorum final }
  outcome { passed quorumReached supportReached explanation }`

const COUNTED = `{ proposals(first: 100) { nodes { id system ... on TreasuryProposal { snapshotRound } ${COUNT}
  votes(first: 1000) { nodes { voter choice weight countedWeight overrides } totalCount }
  rule { quorum { numerator denominator } support { numerator denominator } quorumChoices strict overrides }
  absentees(first: 1000) { nodes { account power counts } totalCount }
  turnout { voters cast electorate absent percent }
  same: recount(with: {}) { ${COUNT} turns }
  alone: recount(with: { overrides: false }) { ${COUNT} turns } } } }`

/**
 * Compares, of every proposal, its rule, absentees, turnout and recounts with its own tally and votes, which the contracts'
 * truth is compared with elsewhere.
 */
export async function compareCounting(url: string): Promise<Comparison> {
  const api = new GraphQLClient(`${url}/graphql`)
  const result = new Comparer()
  const { proposals } = await api.request<{ proposals: { nodes: Counted[] } }>(COUNTED)
  for (const proposal of proposals.nodes) {
    const { id, tally, outcome, votes, same, alone } = proposal
    result.equal(`${id} recounted`, { tally, outcome, turns: false }, same)
    compareRule(result, proposal)
    compareTurnout(result, proposal)
    const raw = sumsOf(votes.nodes, ({ weight }) => weight)
    result.equal(`${id} nobody overriding`, { ...tally, ...raw }, alone.tally)
    const overridden = votes.nodes.some(({ weight, countedWeight }) => weight !== countedWeight)
    const isSame = JSON.stringify(alone.tally) === JSON.stringify(tally)
    result.equal(`${id} differs without overriding`, overridden, !isSame)
    await compareElectorate(result, api, proposal)
  }
  return result
}

function compareRule(result: Comparer, { id, system, tally, outcome, votes, rule }: Counted): void {
  const part = (whole: bigint, { numerator, denominator }: Counted['rule']['quorum']) => [
    whole * BigInt(numerator),
    BigInt(denominator),
  ]
  const [quorum = 0n, whole = 1n] = part(BigInt(tally.electorate), rule.quorum)
  // Each system's own rounding, and Aragon's quorum must be exceeded.
  const least = {
    TREASURY: quorum / whole,
    POLL: (quorum + whole - 1n) / whole,
    ARAGON: (quorum + BigInt(tally.electorate) + whole - 1n) / whole,
  }[system]
  result.equal(`${id} quorum by its rule`, String(least), tally.quorum)
  const forQuorum = rule.quorumChoices.reduce((sum, choice) => sum + BigInt(tally[SIDES[choice]]), 0n)
  result.equal(`${id} quorum reached by its rule`, forQuorum >= least, outcome.quorumReached)
  const decisive = BigInt(tally.for) + BigInt(tally.against)
  const [support = 0n, of = 1n] = part(decisive, rule.support)
  const yes = BigInt(tally.for) * of
  // Far from the edge, where rounding is no matter.
  if (decisive > 0n && (yes - support > of || support - yes > of)) {
    result.equal(`${id} support by its rule`, yes > support, outcome.supportReached)
  }
  result.equal(`${id} is strict`, system !== 'TREASURY', rule.strict)
  result.equal(`${id} has overrides`, system !== 'ARAGON', rule.overrides)
  result.equal(`${id} overrides`, true, rule.overrides || votes.nodes.every(({ overrides }) => overrides === null))
}

function compareTurnout(result: Comparer, { id, tally, votes, absentees, turnout }: Counted): void {
  const cast = BigInt(tally.for) + BigInt(tally.against) + BigInt(tally.abstain)
  const electorate = BigInt(tally.electorate)
  const absent = absentees.nodes.filter(({ counts }) => counts).reduce((sum, { power }) => sum + BigInt(power), 0n)
  const { percent, ...figures } = turnout
  result.equal(
    `${id} turnout`,
    { voters: votes.totalCount, cast: String(cast), electorate: tally.electorate, absent: String(absent) },
    figures,
  )
  const [whole = '', decimals = ''] = percent.split('.')
  const parts = BigInt(whole) * 10_000n + BigInt(decimals.padEnd(4, '0'))
  result.equal(`${id} percent`, String(electorate === 0n ? 0n : (cast * 1_000_000n) / electorate), String(parts))
  const voters = new Set(votes.nodes.map(({ voter }) => voter))
  result.equal(
    `${id} absentees voted`,
    [],
    absentees.nodes.filter(({ account }) => voters.has(account)),
  )
  result.equal(`${id} order of absentees`, absentees.nodes.toSorted(byPower), absentees.nodes)
  result.equal(`${id} number of absentees`, absentees.totalCount, absentees.nodes.length)
}

/**
 * That the electorate is what was cast and what was absent. Of treasury proposals without what was cast from outside the
 * active set. Of polls there may be more, behind delegates that are not registered.
 */
async function compareElectorate(result: Comparer, api: GraphQLClient, proposal: Counted): Promise<void> {
  const { id, system, votes, turnout, snapshotRound = 0 } = proposal
  const together = BigInt(turnout.cast) + BigInt(turnout.absent)
  if (system === 'ARAGON') return result.equal(`${id} electorate`, turnout.electorate, String(together))
  if (system === 'POLL') return result.equal(`${id} electorate`, true, together <= BigInt(turnout.electorate))
  const transcoders = votes.nodes.map(({ voter, overrides }) => overrides ?? voter)
  const known = await api.request<{ votingPowers: { isActive: boolean }[] }>(
    `query ($accounts: [Address!]!, $round: Int!) { votingPowers(accounts: $accounts, round: $round) { isActive } }`,
    // Of a snapshot to come things are as they stand now.
    { accounts: transcoders, round: Math.min(snapshotRound + 1, await lastRound(api)) },
  )
  const outside = votes.nodes
    .filter((_, index) => known.votingPowers[index]?.isActive === false)
    .reduce((sum, { countedWeight }) => sum + BigInt(countedWeight), 0n)
  result.equal(`${id} electorate`, turnout.electorate, String(together - outside))
}

/** The last round that can be asked. */
async function lastRound(api: GraphQLClient): Promise<number> {
  const { status } = await api.request<{ status: { round: number | null }[] }>('{ status { round } }')
  return Math.max(...status.map(({ round }) => (round ?? 0) + 1))
}

/**
 * Compares hypothetical counts with what the votes say they must be: without each voter and without all, with each absentee,
 * with the same choices made once more, and of treasury proposals at the round that they were counted at.
 */
export async function compareWhatIf(url: string): Promise<Comparison> {
  const api = new GraphQLClient(`${url}/graphql`)
  const result = new Comparer()
  const { proposals } = await api.request<{ proposals: { nodes: Counted[] } }>(COUNTED)
  const recount = async (id: string, changes: object): Promise<Recounted> => {
    const { proposal } = await api.request<{ proposal: { recount: Recounted } }>(
      `query ($id: ID!, $changes: Recount!) { proposal(id: $id) { recount(with: $changes) { ${COUNT} turns } } }`,
      { id, changes },
    )
    return proposal.recount
  }
  for (const { id, system, tally, outcome, votes, absentees, snapshotRound } of proposals.nodes) {
    const sums = sumsOf(votes.nodes, ({ countedWeight }) => countedWeight)
    const nothing = await recount(id, { without: votes.nodes.map(({ voter }) => voter) })
    result.equal(`${id} without all`, { ...tally, for: '0', against: '0', abstain: '0' }, nothing.tally)
    const again = await recount(id, { choices: votes.nodes.map(({ voter, choice }) => ({ voter, choice })) })
    result.equal(
      `${id} with the same choices`,
      [tally, outcome.passed, false],
      [again.tally, again.outcome.passed, again.turns],
    )
    for (const vote of votes.nodes) {
      const { tally: without } = await recount(id, { without: [vote.voter] })
      const back = votes.nodes.find(({ voter }) => voter === vote.overrides)
      const left = add(sums, vote.choice, -BigInt(vote.countedWeight))
      result.equal(
        `${id} without ${vote.voter}`,
        { ...tally, ...(back === undefined ? left : add(left, back.choice, BigInt(vote.weight))) },
        without,
      )
    }
    for (const { account, power } of absentees.nodes) {
      const { tally: more } = await recount(id, { choices: [{ voter: account, choice: 'AGAINST' }] })
      result.equal(`${id} with ${account}`, { ...tally, ...add(sums, 'AGAINST', BigInt(power)) }, more)
    }
    if (system !== 'TREASURY' || snapshotRound === undefined) continue
    const { tally: atSnapshot } = await recount(id, { round: snapshotRound + 1 })
    result.equal(`${id} by stake at its snapshot`, tally, atSnapshot)
  }
  return result
}

/** Compares absentees of treasury proposals, and how every account was counted on proposals and polls, with the contracts. */
export async function compareBallots(url: string, truth: LivepeerTruth & GovernanceTruth): Promise<Comparison> {
  const api = new GraphQLClient(`${url}/graphql`)
  const result = new Comparer()
  const { rounds, accounts } = truth.votesAtRoundStart
  const { proposals } = await api.request<{ proposals: { nodes: Counted[] } }>(COUNTED)
  const voteOn = (id: string, voter: string) =>
    proposals.nodes.find((one) => one.id === id)?.votes.nodes.find((vote) => vote.voter === voter)
  const at = (account: string, round: number) => {
    const index = rounds.indexOf(round)
    const { votes = [], delegate = [] } = accounts[account] ?? {}
    return { votes: BigInt(votes[index] ?? 0), delegate: delegate[index] }
  }
  for (const [proposalId, { snapshot, hasVoted }] of Object.entries(truth.proposals)) {
    const id = `treasury:${proposalId}`
    const round = snapshot + 1
    const active = truth.rounds.find((entry) => entry.round === round)?.accounts
    const isTranscoder = (account: string) => at(account, round).delegate === account && at(account, round).votes > 0n
    const expected = Object.keys(accounts)
      .filter((account) => isTranscoder(account) && !hasVoted.includes(account))
      .map((account) => {
        const taken = hasVoted
          .filter((voter) => at(voter, round).delegate === account)
          .reduce((sum, voter) => sum + at(voter, round).votes, 0n)
        return { account, power: String(at(account, round).votes - taken), counts: active?.[account]?.active }
      })
      .sort(byPower)
    const found = proposals.nodes.find((one) => one.id === id)
    result.equal(`${id} absentees`, expected, found?.absentees.nodes)
  }
  for (const account of Object.keys(accounts)) {
    const ballots = new Map((await ballotsOf(api, account)).map((ballot) => [ballot.proposal.id, ballot]))
    for (const [proposalId, { snapshot, hasVoted }] of Object.entries(truth.proposals)) {
      const id = `treasury:${proposalId}`
      const { votes, delegate = '' } = at(account, snapshot + 1)
      const voted = hasVoted.includes(account)
      const isRepresented = !voted && delegate !== account && hasVoted.includes(delegate) && votes > 0n
      const where = isRepresented ? delegate : account
      result.equal(
        `ballot of ${account} on ${id}`,
        votes === 0n && !voted
          ? null
          : {
              power: String(votes),
              vote: voted ? account : null,
              representedBy: isRepresented ? delegate : null,
              choice: voteOn(id, where)?.choice ?? null,
            },
        told(ballots.get(id)),
      )
    }
    for (const [address, { final }] of Object.entries(truth.polls)) {
      const id = `poll:${address}`
      const voter = final.voters[account]
      const ballot = ballots.get(id)
      if (voter === undefined) {
        result.equal(`${account} voted on ${id}`, null, ballot?.vote ?? null)
        const by = ballot?.representedBy?.voter
        // Whoever speaks for it is a transcoder that did vote.
        if (by !== undefined) result.equal(`${id} is spoken for`, true, final.voters[by]?.registeredTranscoder)
        result.equal(`${id} choice`, by === undefined ? null : voteOn(id, by)?.choice, ballot?.choice ?? null)
        continue
      }
      const power = voter.registeredTranscoder ? voter.transcoderTotalStake : voter.pendingStake
      const choice = voter.choice === 0 ? 'FOR' : 'AGAINST'
      result.equal(`ballot of ${account} on ${id}`, { power, vote: account, representedBy: null, choice }, told(ballot))
    }
  }
  return result
}

/** Compares absentees of Aragon votes, and how every holder was counted, with the contracts at the end of the trace. */
export async function compareAragonBallots(url: string, truth: AragonTruth): Promise<Comparison> {
  const api = new GraphQLClient(`${url}/graphql`)
  const result = new Comparer()
  const { proposals } = await api.request<{ proposals: { nodes: Counted[] } }>(COUNTED)
  const holders = new Set<string>()
  const votes = Object.entries(truth.votes).map(([voteId, { states, snapshot }]) => {
    const voters = lowerCase(states.at(-1)?.voters ?? {})
    const balances = Object.entries(lowerCase(snapshot.balanceOfAt))
    for (const [holder] of balances) holders.add(holder)
    return { id: `aragon:${truth.contracts.Voting}:${voteId}`.toLowerCase(), voters, balances: new Map(balances) }
  })
  for (const { id, voters, balances } of votes) {
    const expected = [...balances]
      .filter(([holder, balance]) => BigInt(balance) > 0n && voters[holder] === undefined)
      .map(([account, power]) => ({ account, power, counts: true }))
      .sort(byPower)
    result.equal(`${id} absentees`, expected, proposals.nodes.find((one) => one.id === id)?.absentees.nodes)
  }
  for (const holder of holders) {
    const ballots = new Map((await ballotsOf(api, holder)).map((ballot) => [ballot.proposal.id, ballot]))
    for (const { id, voters, balances } of votes) {
      const power = balances.get(holder) ?? '0'
      const side = voters[holder]
      const choice = side === undefined ? null : side === 'yea' ? 'FOR' : 'AGAINST'
      const expected = { power, vote: side === undefined ? null : holder, representedBy: null, choice }
      result.equal(
        `ballot of ${holder} on ${id}`,
        power === '0' && side === undefined ? null : expected,
        told(ballots.get(id)),
      )
    }
  }
  return result
}

interface Ballot {
  proposal: { id: string; createdAt: { timestamp: string } }
  power: string
  vote: { voter: string } | null
  representedBy: { voter: string } | null
  choice: Choice | null
}

/** All ballots of an account, asked in pages of two; an error where they are not the newest first, or one is there twice. */
async function ballotsOf(api: GraphQLClient, account: string): Promise<Ballot[]> {
  const all: Ballot[] = []
  for (let after: string | null = null, more = true; more; ) {
    const answer: {
      account: {
        ballots: {
          nodes: Ballot[]
          totalCount: number
          uncounted: string[]
          pageInfo: { hasNextPage: boolean; endCursor: string | null }
        }
      }
    } = await api.request(
      `query ($account: Address!, $after: String) { account(address: $account) { ballots(first: 7, after: $after) {
        nodes { proposal { id createdAt { timestamp } } power vote { voter } representedBy { voter } choice }
        totalCount uncounted pageInfo { hasNextPage endCursor } } } }`,
      { account, after },
    )
    const { nodes, pageInfo, totalCount, uncounted } = answer.account.ballots
    if (uncounted.length > 0) throw new Error(`${account} has proposals that cannot be told: ${uncounted}`)
    all.push(...nodes)
    after = pageInfo.endCursor
    more = pageInfo.hasNextPage
    if (!more && totalCount !== all.length) throw new Error(`${account} has ${all.length} of ${totalCount} ballots`)
  }
  const times = all.map(({ proposal }) => proposal.createdAt.timestamp)
  if (JSON.stringify(times) !== JSON.stringify(times.toSorted().reverse())) throw new Error('not the newest first')
  if (new Set(all.map(({ proposal }) => proposal.id)).size !== all.length) throw new Error('a ballot is there twice')
  return all
}

/** What a ballot says, voters by name. */
function told(ballot: Ballot | undefined): object | null {
  if (ballot === undefined) return null
  const { power, vote, representedBy, choice } = ballot
  return { power, vote: vote?.voter ?? null, representedBy: representedBy?.voter ?? null, choice }
}

type Sums = Pick<Tally, 'for' | 'against' | 'abstain'>

function sumsOf(votes: readonly Vote[], weightOf: (vote: Vote) => string): Sums {
  return votes.reduce((sums, vote) => add(sums, vote.choice, BigInt(weightOf(vote))), {
    for: '0',
    against: '0',
    abstain: '0',
  })
}

function add(sums: Sums, choice: Choice, weight: bigint): Sums {
  const side = SIDES[choice]
  return { ...sums, [side]: String(BigInt(sums[side]) + weight) }
}

function byPower(a: { account: string; power: string }, b: { account: string; power: string }): number {
  const [left, right] = [BigInt(a.power), BigInt(b.power)]
  if (left !== right) return left > right ? -1 : 1
  return a.account < b.account ? -1 : 1
}

/** The same by addresses as the API writes them. */
function lowerCase<Value>(byAddress: Record<string, Value>): Record<string, Value> {
  return Object.fromEntries(Object.entries(byAddress).map(([address, value]) => [address.toLowerCase(), value]))
}
