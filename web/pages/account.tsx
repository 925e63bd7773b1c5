import './account.css'
import { blo } from 'blo'
import { useMemo, useState } from 'preact/hooks'
import { ErrorBoundary, lazy, useLocation, useRoute } from 'preact-iso'
import { amountText, countText, percentText, shareOf, sumOf } from '../amounts.ts'
import { ask, prefetch, useAnswer } from '../ask.ts'
import { SplitBar } from '../charts/bars.tsx'
import { AccountDocument, type AccountQuery, type PowerFragment } from '../generated/account.ts'
import { AccountBallotsDocument } from '../generated/account-ballots.ts'
import { AccountDelegatorsDocument, type AccountDelegatorsQuery } from '../generated/account-delegators.ts'
import { AccountHistoryDocument } from '../generated/account-history.ts'
import { useAllPages } from '../parts/all-pages.ts'
import { Change } from '../parts/change.tsx'
import { Address, Amount, labels, Percent, setLabel, When } from '../parts/figures.tsx'
import { PageHead } from '../parts/page.tsx'
import { CopyButton, Panel, Refused, Trouble } from '../parts/panel.tsx'
import { placeWith } from '../parts/place.ts'
import { choiceName, StateBadge, SYSTEM_NAMES, unitOf } from '../parts/proposals.tsx'
import { Role } from '../parts/role.tsx'
import { RoundSlider, useRoundSpan } from '../parts/round-slider.tsx'
import { networkAt, type RoundSpan } from '../parts/round-span.ts'
import { type Column, Table } from '../parts/table.tsx'
import { accountOf, accountVariables, roundOf } from '../places.ts'
import { type Problem, problemAt, UNREACHABLE } from '../problems.ts'
import { isWeighed } from '../weights.ts'
import type { HistoryNode } from './account-steps.tsx'
import { attendanceOf, type BallotNode, type Where, whereOf } from './attendance.ts'

// A chart is not needed to see the figures.
const Steps = lazy(() => import('./account-steps.tsx').then(({ Steps }) => Steps))

const NOTHING: Problem = { code: UNREACHABLE, message: 'The API answered nothing' }

/** One account: what its power is made of, how it came to it, and how it was counted on each proposal. */
export function Account() {
  const { params } = useRoute()
  const address = accountOf(params.address)
  if (address !== undefined) return <Known key={address} address={address} />
  return (
    <>
      <PageHead title="Account" tab="Account" />
      <p class="empty">
        <code>{params.address}</code> is no address: it has 0x and 40 hexadecimal digits.
      </p>
    </>
  )
}

function Known({ address }: { address: string }) {
  const { query, route, path } = useLocation()
  const span = useRoundSpan(query.network)
  const variables = accountVariables(address, query)
  const asked = useAnswer(AccountDocument, variables)
  const problems = asked.answer?.problems ?? []
  const account = asked.answer?.data?.account
  const wanted = roundOf(query.round)
  const round = wanted ?? span?.last
  const power = wanted === undefined ? account?.now : account?.votingPower
  const name = labels.value[address]
  const short = `${address.slice(0, 8)}…${address.slice(-6)}`
  const choose = (next: number, replace: boolean) =>
    route(placeWith(path, query, { round: next === span?.last ? '' : String(next) }), replace)
  return (
    <>
      <PageHead title={name ?? short} tab={name ?? short}>
        <p class="account-address">
          <img src={blo(address as `0x${string}`)} alt="" width="40" height="40" />
          <span>
            <code>{address}</code>
            <span class="account-tools">
              <CopyButton text={() => address}>Copy</CopyButton>
              <a href={`/proof?account=${address}${wanted === undefined ? '' : `&round=${wanted}`}`}>
                Prove its votes to a contract
              </a>
              <a href={`/proposals?voter=${address}`}>Proposals it voted on</a>
            </span>
          </span>
        </p>
        <OwnName address={address} />
      </PageHead>
      {round !== undefined && (
        <RoundSlider
          round={round}
          network={query.network}
          begun={asked.answer?.data?.round?.initializedAt.timestamp}
          onChoose={choose}
          onNear={(near) => {
            if (near !== span?.last)
              prefetch(AccountDocument, accountVariables(address, { ...query, round: String(near) }))
          }}
        />
      )}
      <Panel
        id="power"
        title="What its power is made of"
        asked={asked}
        rows={8}
        sources={{ query: { document: AccountDocument, variables } }}
      >
        {({ account: { now, votingPower } }) => (
          <>
            {wanted !== undefined && votingPower === null && (
              <Trouble problem={problemAt(problems, 'account', 'votingPower') ?? NOTHING} />
            )}
            {power !== null && power !== undefined && (
              <Made power={power} address={address} isNow={wanted === undefined} />
            )}
            <Powers now={now} then={wanted === undefined ? undefined : votingPower} problems={problems} />
          </>
        )}
      </Panel>
      <Ballots address={address} />
      <History address={address} span={span} round={round} network={query.network} />
      {power !== null && power !== undefined && BigInt(power.delegatedStake) > 0n && (
        <Delegators address={address} round={wanted} network={query.network} all={BigInt(power.delegatedStake)} />
      )}
      <Panel
        id="made"
        title="Proposals it made"
        asked={asked}
        rows={2}
        empty={({ made }) => made.totalCount === 0 && 'It proposed nothing on the chains indexed.'}
      >
        {({ made }) => <Proposed made={made} address={address} />}
      </Panel>
    </>
  )
}

/** A name of the reader's own, which stays in this browser. */
function OwnName({ address }: { address: string }) {
  const name = labels.value[address] ?? ''
  const [typed, setTyped] = useState<string | undefined>(undefined)
  return (
    <form
      class="own-name"
      onSubmit={(event) => {
        event.preventDefault()
        setLabel(address, typed ?? name)
        setTyped(undefined)
      }}
    >
      <label>
        Your own name for it{' '}
        <input
          type="text"
          maxLength={60}
          autocomplete="off"
          placeholder="kept in this browser only"
          value={typed ?? name}
          onInput={(event) => setTyped(event.currentTarget.value)}
        />
      </label>
      {typed !== undefined && typed !== name && <button type="submit">Keep</button>}
      {typed === undefined && name !== '' && (
        <button type="button" class="link" onClick={() => setLabel(address, '')}>
          Forget it
        </button>
      )}
    </form>
  )
}

/** In words, and for a transcoder as a bar. */
function Made({ power, address, isNow }: { power: PowerFragment; address: string; isNow: boolean }) {
  const { votes, stake, delegate, delegatedStake, isTranscoder, isActive, round } = power
  const when = isNow ? 'now' : `at the start of round ${countText(round)}`
  const all = BigInt(delegatedStake)
  if (isTranscoder) {
    const own = stake === null || delegate !== address ? undefined : BigInt(stake)
    return (
      <>
        <p class="made">
          {isNow ? 'It is' : `At the start of round ${countText(round)} it was`} a registered transcoder
          {isActive ? ', in the active set' : ', not in the active set'}: its vote weighs all stake delegated to it,
          less that of delegators who vote themselves.
        </p>
        {own !== undefined && all > 0n && (
          <SplitBar
            label="Its votes"
            whole={all}
            legend
            parts={[
              { name: 'its own stake', amount: own, kind: 'half even' },
              { name: 'the rest of what is delegated to it', amount: all > own ? all - own : 0n, kind: 'even' },
            ]}
          />
        )}
      </>
    )
  }
  if (delegate === null) {
    return (
      <p class="made">
        {BigInt(stake ?? 0) === 0n
          ? `It has no stake ${when}, and so no votes; an address that was never seen has zeros.`
          : `It has stake ${when} but no delegate, and so no votes.`}
      </p>
    )
  }
  return (
    <p class="made">
      {isNow ? 'It delegates' : `At the start of round ${countText(round)} it delegated`} to <Address of={delegate} />.{' '}
      {BigInt(votes) > 0n
        ? 'Where it votes itself, its own stake counts as it chose and is taken off its transcoder’s vote; else its transcoder’s vote has it.'
        : 'That is no registered transcoder, so its stake has no votes.'}
    </p>
  )
}

const ROWS: readonly {
  name: string
  about: string
  of: (power: PowerFragment) => string | null
  field: keyof PowerFragment
}[] = [
  { name: 'Votes', about: 'what its vote weighs', of: ({ votes }) => votes, field: 'votes' },
  { name: 'Own stake', about: 'with rewards up to then', of: ({ stake }) => stake, field: 'stake' },
  {
    name: 'Bonded amount',
    about: 'as of its last claim',
    of: ({ bondedAmount }) => bondedAmount,
    field: 'bondedAmount',
  },
  {
    name: 'Delegated stake',
    about: 'by all, itself included',
    of: ({ delegatedStake }) => delegatedStake,
    field: 'delegatedStake',
  },
]

/** Now, at the round chosen, and what changed between. */
function Powers({
  now,
  then,
  problems,
}: {
  now: PowerFragment | null
  /** Undefined where no round was chosen. */
  then: PowerFragment | null | undefined
  problems: readonly Problem[]
}) {
  const cell = (power: PowerFragment | null, row: (typeof ROWS)[number], path: string) => {
    if (power === null) return <Refused problem={problemAt(problems, 'account', path)} />
    const value = row.of(power)
    return value === null ? (
      <Refused problem={problemAt(problems, 'account', path, row.field)} />
    ) : (
      <Amount wei={value} unit="" />
    )
  }
  const isThen = then !== undefined && then !== null
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls
    <section class="table-scroll powers" tabIndex={0} aria-label="What it has, in LPT">
      <table>
        <caption class="unseen">What it has, in LPT</caption>
        <thead>
          <tr>
            <th scope="col">LPT</th>
            {isThen && (
              <th scope="col" class="number">
                <a href={`/snapshots/${then.round}`}>Round {countText(then.round)}</a>
              </th>
            )}
            <th scope="col" class="number">
              Now
            </th>
            {isThen && (
              <th scope="col" class="number minor">
                Since then
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {ROWS.map((row) => {
            const [before, after] = [isThen ? row.of(then) : null, now === null ? null : row.of(now)]
            return (
              <tr key={row.name}>
                <th scope="row">
                  {row.name} <span class="unit minor">{row.about}</span>
                </th>
                {isThen && <td class="number">{cell(then, row, 'votingPower')}</td>}
                <td class="number">{cell(now, row, 'now')}</td>
                {isThen && (
                  <td class="number minor">
                    {before === null || after === null ? '–' : <Change by={BigInt(after) - BigInt(before)} />}
                  </td>
                )}
              </tr>
            )
          })}
          <tr>
            <th scope="row">Delegate</th>
            {isThen && (
              <td class="number">
                <DelegateOf delegate={then.delegate} />
              </td>
            )}
            <td class="number">{now === null ? '–' : <DelegateOf delegate={now.delegate} />}</td>
            {isThen && <td class="number minor">{now?.delegate === then.delegate ? 'the same' : 'another'}</td>}
          </tr>
          <tr>
            <th scope="row">Role</th>
            {isThen && (
              <td class="number">
                <Role of={then} />
              </td>
            )}
            <td class="number">{now === null ? '–' : <Role of={now} />}</td>
            {isThen && <td class="minor" />}
          </tr>
        </tbody>
      </table>
    </section>
  )
}

function DelegateOf({ delegate }: { delegate: string | null }) {
  return delegate === null ? <span class="unit">none</span> : <Address of={delegate} />
}

const WHERE: Readonly<Record<Where, string>> = {
  ITSELF: 'voted itself',
  REPRESENTED: 'by its transcoder',
  NOWHERE: 'nowhere',
  OPEN: 'open, not yet',
  CANCELED: 'withdrawn',
}

/** How it was counted on every proposal that it had power in. */
function Ballots({ address }: { address: string }) {
  const variables = { address }
  const asked = useAnswer(AccountBallotsDocument, variables)
  const first = asked.answer?.data?.account.ballots
  const { nodes, isWhole, problem } = useAllPages<BallotNode>(address, first, async (after) => {
    const { data, problems } = await ask(AccountBallotsDocument, { address, after })
    return data?.account.ballots ?? problems[0] ?? NOTHING
  })
  const attendance = useMemo(() => attendanceOf(nodes, unitOf), [nodes])
  return (
    <Panel
      id="ballots"
      title="How it was counted"
      lead="Every proposal, poll and Aragon vote it had power in: by its own vote, by its transcoder’s, or not at all."
      asked={asked}
      rows={6}
      empty={({ account: { ballots } }) =>
        ballots?.totalCount === 0 && 'It had power in no proposal, and voted on none.'
      }
      sources={{ query: { document: AccountBallotsDocument, variables } }}
    >
      {({ account: { ballots } }) =>
        ballots === null ? (
          <Refused problem={problemAt(asked.answer?.problems ?? [], 'account', 'ballots')} />
        ) : (
          <>
            {problem !== undefined && <Trouble problem={problem} />}
            {ballots.uncounted.length > 0 && (
              <p class="trouble not-exact">
                {countText(ballots.uncounted.length)} left out, as its power in them is not known exactly.
              </p>
            )}
            {attendance.closed > 0 && (
              <p>
                Of {countText(attendance.closed)} closed votes it voted itself in <b>{countText(attendance.itself)}</b>,
                was represented in <b>{countText(attendance.represented)}</b> and missing from{' '}
                <b>{countText(attendance.nowhere)}</b>.{' '}
                {attendance.spoken.map(({ unit, spoken, power }, index) => (
                  <span key={unit}>
                    {index > 0 && ', '}
                    {percentText(spoken, power)} of its power in {unit}
                  </span>
                ))}{' '}
                went to a choice.
              </p>
            )}
            <Strip ballots={nodes} isWhole={isWhole} />
            <Table
              caption="How it was counted on each proposal"
              columns={BALLOT_COLUMNS}
              rows={nodes}
              keyOf={({ proposal: { id } }) => id}
              total={ballots.totalCount}
            />
          </>
        )
      }
    </Panel>
  )
}

/** A cell a proposal, oldest first; as high as its power was of the most it had in that token. */
function Strip({ ballots, isWhole }: { ballots: readonly BallotNode[]; isWhole: boolean }) {
  if (!isWhole) return null
  const most = new Map<string, bigint>()
  for (const { power, proposal } of ballots) {
    const unit = unitOf(proposal.system)
    const before = most.get(unit) ?? 0n
    if (BigInt(power) > before) most.set(unit, BigInt(power))
  }
  const kinds = [...new Set(ballots.map(whereOf))]
  return (
    <figure class="chart">
      <ol class="strip" aria-label="Attendance, oldest first">
        {[...ballots].reverse().map((ballot) => {
          const { power, proposal } = ballot
          const where = whereOf(ballot)
          const unit = unitOf(proposal.system)
          const part = shareOf(BigInt(power), most.get(unit) ?? 0n)
          const told = `${proposal.title}: ${WHERE[where]}, ${amountText(BigInt(power))} ${unit}`
          return (
            <li key={proposal.id}>
              <a href={`/proposals/${proposal.id}`} title={told} aria-label={told}>
                <span
                  class={`cell ${where.toLowerCase()}`}
                  style={{ height: `${Math.max(12, Math.round(part * 100))}%` }}
                />
              </a>
            </li>
          )
        })}
      </ol>
      <figcaption>
        <ul class="legend">
          {kinds.map((where) => (
            <li key={where}>
              <span class={`key cell ${where.toLowerCase()}`} aria-hidden="true" />
              {WHERE[where]}
            </li>
          ))}
          <li class="unit">as high as its power then</li>
        </ul>
      </figcaption>
    </figure>
  )
}

const BALLOT_COLUMNS: readonly Column<BallotNode>[] = [
  {
    name: 'Proposal',
    wide: true,
    cell: ({ proposal: { id, title, system } }) => (
      <>
        <a class="title" href={`/proposals/${id}`}>
          {title}
        </a>
        <span class="unit">{SYSTEM_NAMES[system]}</span>
      </>
    ),
  },
  { name: 'State', cell: ({ proposal: { state } }) => <StateBadge state={state} />, minor: true },
  {
    name: 'Where its power went',
    cell: (ballot) => {
      const { vote, representedBy, proposal } = ballot
      const where = whereOf(ballot)
      if (vote !== null) return <>itself: {choiceName(vote.choice, proposal.system)}</>
      if (representedBy !== null) {
        return (
          <>
            <Address of={representedBy.voter} />: {choiceName(representedBy.choice, proposal.system)}
          </>
        )
      }
      return <span class={where === 'NOWHERE' ? 'missed' : 'unit'}>{WHERE[where]}</span>
    },
  },
  {
    name: 'Its power',
    number: true,
    cell: ({ power, proposal: { system } }) => <Amount wei={power} unit={unitOf(system)} />,
  },
  {
    name: 'Counted of its vote',
    about: 'What its delegators that voted themselves took off is not in it',
    number: true,
    minor: true,
    cell: ({ vote, proposal: { system } }) => {
      if (vote === null) return '–'
      if (!isWeighed(vote)) return <span class="refused not-exact">not known exactly</span>
      const taken = BigInt(vote.weight) - BigInt(vote.countedWeight)
      return (
        <>
          <Amount wei={vote.countedWeight} unit={unitOf(system)} />
          {taken > 0n && (
            <>
              <br />
              <span class="unit">
                <Amount wei={taken} unit="" /> taken by delegators
              </span>
            </>
          )}
        </>
      )
    },
  },
  {
    name: 'Made',
    minor: true,
    cell: ({ proposal: { createdAt } }) => <When at={createdAt.timestamp} brief />,
  },
]

/** How it came to its power: a step for each round that changed it. */
function History({
  address,
  span,
  round,
  network: named,
}: {
  address: string
  span: RoundSpan | undefined
  round: number | undefined
  network: string | undefined
}) {
  const network = span === undefined || round === undefined ? named : networkAt(span, round)
  const variables = { address, ...(network === undefined ? {} : { network }) }
  const asked = useAnswer(AccountHistoryDocument, span === undefined ? null : variables)
  const first = asked.answer?.data?.account.votingPowerHistory
  const { nodes, problem } = useAllPages<HistoryNode>(`${address} ${network}`, first, async (after) => {
    const { data, problems } = await ask(AccountHistoryDocument, { ...variables, after })
    return data?.account.votingPowerHistory ?? problems[0] ?? NOTHING
  })
  const isL1 = span?.border !== undefined && network === span.border.before
  return (
    <Panel
      id="history"
      title="How it came to its power"
      lead={
        <>
          What it had at the start of each round{network !== undefined && ` of ${network}`}, with rewards.
          {isL1 && ' On Ethereum L1 only what was delegated to a transcoder is known exactly.'}
        </>
      }
      asked={asked}
      rows={8}
      empty={({ account: { votingPowerHistory } }) =>
        votingPowerHistory?.totalCount === 0 && 'It never had stake, nor stake delegated to it, on this chain.'
      }
      sources={{ query: { document: AccountHistoryDocument, variables } }}
    >
      {({ account: { votingPowerHistory } }) =>
        votingPowerHistory === null ? (
          <Trouble problem={problemAt(asked.answer?.problems ?? [], 'account', 'votingPowerHistory') ?? NOTHING} />
        ) : (
          <>
            {problem !== undefined && <Trouble problem={problem} />}
            <div class="history-chart">
              <ErrorBoundary>
                <Steps history={nodes} last={(isL1 ? (span?.border?.at ?? 1) - 1 : span?.last) ?? 0} round={round} />
              </ErrorBoundary>
            </div>
          </>
        )
      }
    </Panel>
  )
}

type DelegatorNode = NonNullable<AccountDelegatorsQuery['account']['delegators']>['nodes'][number]

/** Who delegates to it, at the round chosen. */
function Delegators({
  address,
  round,
  network,
  all,
}: {
  address: string
  round: number | undefined
  network: string | undefined
  all: bigint
}) {
  const moment = { ...(round === undefined ? {} : { round }), ...(network === undefined ? {} : { network }) }
  const variables = { address, ...moment, first: 200 }
  const asked = useAnswer(AccountDelegatorsDocument, variables)
  const first = asked.answer?.data?.account.delegators
  const { nodes, problem } = useAllPages<DelegatorNode>(JSON.stringify(variables), first, async (after) => {
    const { data, problems } = await ask(AccountDelegatorsDocument, { ...variables, first: 1_000, after })
    return data?.account.delegators ?? problems[0] ?? NOTHING
  })
  const columns: readonly Column<DelegatorNode>[] = useMemo(
    () => [
      {
        name: 'Account',
        cell: ({ account }) => (
          <>
            <Address of={account} />
            {account === address && <span class="unit"> itself</span>}
          </>
        ),
        text: ({ account }) => `${account} ${labels.value[account] ?? ''}`,
      },
      {
        name: 'Own stake',
        number: true,
        cell: ({ stake }) => (stake === null ? <Refused problem={undefined} /> : <Amount wei={stake} unit="" />),
      },
      {
        name: 'Part',
        about: 'Of all stake delegated to it',
        number: true,
        cell: ({ stake }) => (stake === null ? '–' : <Percent part={stake} whole={all} />),
      },
    ],
    [address, all],
  )
  const sum = sumOf(nodes.flatMap(({ stake }) => (stake === null ? [] : [BigInt(stake)])))
  return (
    <Panel
      id="delegators"
      title="Who delegates to it"
      lead={round === undefined ? 'As things stand now.' : `At the start of round ${countText(round)}.`}
      asked={asked}
      rows={6}
      empty={({ account: { delegators } }) => delegators?.totalCount === 0 && 'Nobody delegates to it.'}
      sources={{ query: { document: AccountDelegatorsDocument, variables } }}
    >
      {({ account: { delegators } }) =>
        delegators === null ? (
          <Trouble problem={problemAt(asked.answer?.problems ?? [], 'account', 'delegators') ?? NOTHING} />
        ) : (
          <>
            {problem !== undefined && <Trouble problem={problem} />}
            <Table
              caption="Delegators, in LPT"
              columns={columns}
              rows={nodes}
              keyOf={({ account }) => account}
              total={delegators.totalCount}
            />
            <p class="unit">
              Their own stake together is <Amount wei={sum} />, of <Amount wei={all} /> delegated to it.
            </p>
          </>
        )
      }
    </Panel>
  )
}

function Proposed({ made, address }: { made: AccountQuery['made']; address: string }) {
  return (
    <>
      <ul class="facts">
        {made.nodes.map(({ id, title, system, state, createdAt }) => (
          <li key={id}>
            <span>
              <StateBadge state={state} /> <a href={`/proposals/${id}`}>{title}</a>
            </span>
            <span class="unit">
              {SYSTEM_NAMES[system]} · <When at={createdAt.timestamp} round={createdAt.round} brief />
            </span>
          </li>
        ))}
      </ul>
      {made.totalCount > made.nodes.length && (
        <p>
          <a href={`/proposals?proposer=${address}`}>All {countText(made.totalCount)}</a>
        </p>
      )}
    </>
  )
}
