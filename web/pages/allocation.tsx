import './allocation.css'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { useLocation } from 'preact-iso'
import { allocateTokens, type SeatedStake } from '../../api/rules/token-allocation.ts'
import { amountText, countText, percentText } from '../amounts.ts'
import { useAnswer } from '../ask.ts'
import { type Part, SplitBar } from '../charts/bars.tsx'
import { filePath } from '../files.ts'
import {
  AllocationDocument,
  AllocationStakesDocument,
  VotingTokensDocument,
  type VotingTokensQuery,
} from '../generated/allocation.ts'
import { FrameDocument, type FrameQuery } from '../generated/frame.ts'
import { Check } from '../parts/check.tsx'
import { Address, Amount, digits, Hash } from '../parts/figures.tsx'
import { orderOf, orderText } from '../parts/order.ts'
import { PageHead } from '../parts/page.tsx'
import { Panel, type Refused, Skeleton, Trouble } from '../parts/panel.tsx'
import { placeWith } from '../parts/place.ts'
import { type Column, Table } from '../parts/table.tsx'
import { allocationVariables } from '../places.ts'
import { problemAt } from '../problems.ts'
import {
  type Deal,
  type DealtShare,
  dealOf,
  isSameDeal,
  type SeatsCase,
  seatsCases,
  tokensText,
  weiOfTokens,
} from './allocation-deal.ts'

/** How the TranscoderDAO was to be set up. */
const DAO = { round: 1426, seats: 25, supply: 100n * 10n ** 18n }
/** The numbers of seats that are always compared. */
const SEATS = [25, 50, 100]
/** How long levers must rest before the API is asked for the same deal. */
const REST_MS = 400
const SLIDE_MS = 120

/** A supply of voting tokens dealt to the active transcoders of a round, with levers to play with. */
export function Allocation({ params }: { params: Readonly<Record<string, string>> }) {
  const { query, route, path } = useLocation()
  const frame = useAnswer(FrameDocument, {}).answer?.data
  const variables = allocationVariables({ params, query })
  const asked = useAnswer(AllocationStakesDocument, variables)
  // Without a round: that of the TranscoderDAO, or the latest.
  const usual = frame === undefined || frame === null ? undefined : usualRound(frame)
  useEffect(() => {
    if (params.round === undefined && usual !== undefined) route(placeWith(`/allocations/${usual}`, query, {}), true)
  }, [params.round, usual])

  const seats = /^[1-9]\d{0,4}$/.test(query.seats ?? '') ? Number(query.seats) : DAO.seats
  const supply = /^\d{1,40}$/.test(query.supply ?? '') ? BigInt(query.supply ?? '') : DAO.supply
  const told = asked.answer?.data?.tokenAllocation ?? undefined
  const active = useMemo(
    () => (told?.shares ?? []).map(({ transcoder, stake }): SeatedStake => ({ transcoder, stake: BigInt(stake) })),
    [told],
  )
  const deal = useMemo(() => dealOf(active, supply, seats), [active, supply, seats])
  const set = (changes: Record<string, string>, place = path) => route(placeWith(place, query, changes), true)
  const file = (ending: string) =>
    filePath(`/allocations/${params.round}.${ending}`, {
      network: query.network,
      supply: query.supply,
      seats: query.seats,
    })
  const problem = problemAt(asked.answer?.problems ?? [], 'tokenAllocation')
  return (
    <>
      <PageHead title="Allocation" tab={`Allocation at round ${params.round ?? ''}`.trim()}>
        <p class="lead">
          The TranscoderDAO was to be set up by dealing {tokensText(DAO.supply)} TDT to the {DAO.seats} active
          transcoders with most stake at round {countText(DAO.round)}. Here the same is dealt at any round, with any
          supply and number of seats.
        </p>
      </PageHead>
      <Levers
        round={params.round}
        frame={frame ?? undefined}
        network={query.network}
        supply={supply}
        seats={seats}
        active={active.length}
        onRound={(round) => set({}, `/allocations/${round}`)}
        onSupply={(wei) => set({ supply: wei === DAO.supply ? '' : String(wei) })}
        onSeats={(next) => set({ seats: next === DAO.seats ? '' : String(next) })}
      />
      {variables === null && params.round !== undefined && (
        <p class="trouble not-there" role="status">
          {params.round} is no round: it is a whole number.
        </p>
      )}
      <Panel
        id="shares"
        title={
          told === undefined ? 'The deal' : `${countText(deal.shares.length)} seated, ${tokensText(supply)} TDT dealt`
        }
        lead={
          told !== undefined && (
            <>
              At the start of round {countText(told.round)} on {told.network}: {countText(active.length)} active
              transcoders with stake, {countText(Math.min(seats, active.length))} seats taken of {countText(seats)}.
            </>
          )
        }
        asked={asked}
        rows={14}
        empty={() => told !== undefined && active.length === 0 && 'No active transcoder has stake at this round.'}
        sources={{
          csv: file('csv'),
          json: file('json'),
          ...(variables === null
            ? {}
            : {
                query: {
                  document: AllocationDocument,
                  variables: { ...variables, supply: String(supply), seats },
                },
              }),
        }}
      >
        {() =>
          told === undefined ? (
            <Trouble problem={problem ?? { code: 'NOT_FOUND', message: 'There is no such round' }} />
          ) : (
            <Dealt deal={deal} supply={supply} variables={variables} seats={seats} />
          )
        }
      </Panel>
      {active.length > 0 && (
        <Panel
          id="seats"
          title="What would other seats change?"
          lead="The same supply at the same round. A seat more takes a little of everybody seated before."
          hypothetical
        >
          <Cases active={active} supply={supply} seats={seats} onSeats={(next) => set({ seats: String(next) })} />
        </Panel>
      )}
      <Holders deal={deal} />
    </>
  )
}

/** The round of the TranscoderDAO where it can be asked, else the last initialised one. */
function usualRound({ status, rounds }: FrameQuery): number | undefined {
  const isThere = status.some(
    ({ firstRound, round }) =>
      firstRound !== null && round !== null && firstRound <= DAO.round && DAO.round <= round + 1,
  )
  return isThere ? DAO.round : rounds.nodes[0]?.number
}

function Levers({
  round,
  frame,
  network,
  supply,
  seats,
  active,
  onRound,
  onSupply,
  onSeats,
}: {
  round: string | undefined
  frame: FrameQuery | undefined
  network: string | undefined
  supply: bigint
  seats: number
  active: number
  onRound: (round: number) => void
  onSupply: (wei: bigint) => void
  onSeats: (seats: number) => void
}) {
  const [text, setText] = useState(tokensText(supply))
  const isWrong = weiOfTokens(text) === undefined
  useEffect(() => {
    if (weiOfTokens(text) !== supply) setText(tokensText(supply))
  }, [supply])
  const chains = (frame?.status ?? []).filter(
    (chain) =>
      chain.firstRound !== null && chain.round !== null && (network === undefined || chain.network === network),
  )
  const first = Math.min(...chains.map(({ firstRound }) => firstRound ?? 0))
  const last = Math.max(...chains.map((chain) => (chain.round ?? 0) + 1))
  const choose = (value: string) => {
    if (/^\d{1,9}$/.test(value)) onRound(Number(value))
  }
  // While it is slid nothing is asked.
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)
  const slide = (value: string) => {
    clearTimeout(timer.current)
    timer.current = setTimeout(choose, SLIDE_MS, value)
  }
  return (
    <form class="filters levers" onSubmit={(event) => event.preventDefault()}>
      <label>
        Round
        <span class="lever">
          <input
            type="number"
            min={first}
            max={last}
            value={round ?? ''}
            onChange={(event) => choose(event.currentTarget.value)}
          />
          {chains.length > 0 && (
            <input
              type="range"
              aria-label="Round, by sliding"
              min={first}
              max={last}
              value={round ?? last}
              onInput={(event) => slide(event.currentTarget.value)}
            />
          )}
        </span>
      </label>
      <label>
        Seats
        <span class="lever">
          <input
            type="number"
            min="1"
            max="99999"
            value={seats}
            onInput={(event) => {
              const next = Number(event.currentTarget.value)
              if (Number.isInteger(next) && next >= 1 && next <= 99_999) onSeats(next)
            }}
          />
          <input
            type="range"
            aria-label="Seats, by sliding"
            min="1"
            max={Math.max(active, 100)}
            value={seats}
            onInput={(event) => onSeats(Number(event.currentTarget.value))}
          />
        </span>
      </label>
      <label>
        Supply, TDT
        <span class="lever">
          <input
            inputMode="decimal"
            size={12}
            value={text}
            aria-invalid={isWrong}
            onInput={(event) => {
              setText(event.currentTarget.value)
              const wei = weiOfTokens(event.currentTarget.value)
              if (wei !== undefined) onSupply(wei)
            }}
          />
          {isWrong && <span role="status">a number with at most 18 digits after its point</span>}
        </span>
      </label>
    </form>
  )
}

/** Each transcoder a part of a bar; those that together have more than half are the darker ones. */
function partsOf(shares: readonly { transcoder: string; tokens: bigint }[], half: number): Part[] {
  return shares.map(({ transcoder, tokens }, index) => {
    const stripe = index % 2 === 0 ? 'even' : 'odd'
    return { name: transcoder, amount: tokens, kind: index < half ? `half ${stripe}` : stripe }
  })
}

interface Row extends DealtShare {
  place: number
}

function Dealt({
  deal,
  supply,
  variables,
  seats,
}: {
  deal: Deal
  supply: bigint
  variables: { round: number; network?: string } | null
  seats: number
}) {
  const { query, route, path } = useLocation()
  const { totalStake, shares, left, unseated } = deal
  const half = useMemo(() => leastForHalf(shares), [shares])
  const columns: readonly Column<Row>[] = [
    { name: 'Place', number: true, cell: ({ place }) => place, by: ({ place }) => place },
    { name: 'Transcoder', cell: ({ transcoder }) => <Address of={transcoder} />, text: ({ transcoder }) => transcoder },
    {
      name: 'Stake',
      about: 'All that is delegated to it at the start of the round, LPT',
      number: true,
      cell: ({ stake }) => <Amount wei={stake} unit="" />,
      by: ({ stake }) => stake,
    },
    { name: 'Share', number: true, cell: ({ stake }) => percentText(stake, totalStake), by: ({ stake }) => stake },
    {
      name: 'TDT',
      number: true,
      cell: ({ tokens }) => (
        <data value={String(tokens)} class="amount" data-unit="TDT" title={`${amountText(tokens, 'ALL')} TDT`}>
          {amountText(tokens, digits.value === 'ALL' ? 'ALL' : 6)}
        </data>
      ),
      by: ({ tokens }) => tokens,
    },
    {
      name: 'Rounded off',
      about: 'What rounding down left over, in percent of one wei; the largest get one of the wei that are left',
      number: true,
      cell: ({ remainder, gotOneMore }) => (
        <>
          {percentText(remainder, totalStake)}
          {gotOneMore ? <b> +1 wei</b> : <span class="unit"> –</span>}
        </>
      ),
      by: ({ remainder }) => remainder,
      minor: true,
    },
  ]
  const last = shares.at(-1)
  const [next] = unseated
  return (
    <>
      <SplitBar label="TDT by transcoder" whole={supply} parts={partsOf(shares, half)} />
      <p>
        <b>{countText(half)}</b> of {countText(shares.length)} together have more than half of the tokens. Rounding down
        left {countText(left)} wei of {amountText(supply, 0)} TDT: one each to the {countText(left)} largest remainders,
        equal ones to the lower address first.
      </p>
      <Agreement deal={deal} supply={supply} seats={seats} variables={variables} />
      <Table
        caption="Who is dealt what"
        columns={columns}
        rows={shares.map((share, index) => ({ ...share, place: index + 1 }))}
        keyOf={({ transcoder }) => transcoder}
        order={orderOf(query.sort, columns) ?? { column: 'Place', descending: false }}
        onOrder={(order) => route(placeWith(path, query, { sort: orderText(order) }), true)}
      />
      {next !== undefined && last !== undefined ? (
        <p class="note">
          {countText(unseated.length)} active {unseated.length === 1 ? 'transcoder has' : 'transcoders have'} no seat.
          Next in line is <Address of={next.transcoder} /> with <Amount wei={next.stake} />,{' '}
          <Amount wei={last.stake - next.stake} /> short of the last seat.
        </p>
      ) : (
        <p class="note">Everybody active has a seat.</p>
      )}
    </>
  )
}

function leastForHalf(shares: readonly { tokens: bigint }[]): number {
  const total = shares.reduce((sum, { tokens }) => sum + tokens, 0n)
  let sum = 0n
  const index = shares.findIndex(({ tokens }) => {
    sum += tokens
    return sum * 2n > total
  })
  return index + 1
}

/** Whether the API deals the same, asked once the levers rest. */
function Agreement({
  deal,
  supply,
  seats,
  variables,
}: {
  deal: Deal
  supply: bigint
  seats: number
  variables: { round: number; network?: string } | null
}) {
  const wanted = variables === null ? null : { ...variables, supply: String(supply), seats }
  const key = JSON.stringify(wanted)
  const [settled, settle] = useState<typeof wanted>(null)
  useEffect(() => {
    const timer = setTimeout(settle, REST_MS, wanted)
    return () => clearTimeout(timer)
  }, [key])
  const { answer } = useAnswer(AllocationDocument, settled)
  const told = JSON.stringify(settled) === key ? answer?.data?.tokenAllocation : undefined
  return (
    <ul class="agreement">
      {told === undefined || told === null ? (
        <li class="unit">Dealt in this browser; asking the API for the same…</li>
      ) : (
        <Check holds={isSameDeal(deal, told)}>
          Dealt in this browser by the API’s own rule, and {isSameDeal(deal, told) ? 'the same as' : 'not what'} the API
          deals, to the wei.
        </Check>
      )}
    </ul>
  )
}

function Cases({
  active,
  supply,
  seats,
  onSeats,
}: {
  active: readonly SeatedStake[]
  supply: bigint
  seats: number
  onSeats: (seats: number) => void
}) {
  const cases = useMemo(() => seatsCases(active, supply, [...SEATS, seats]), [active, supply, seats])
  const columns: readonly Column<SeatsCase>[] = [
    {
      name: 'Seats',
      number: true,
      cell: (one) =>
        one.seats === seats ? (
          <b>{countText(one.seats)}</b>
        ) : (
          <button type="button" class="link" onClick={() => onSeats(one.seats)}>
            {countText(one.seats)}
          </button>
        ),
    },
    { name: 'Seated', number: true, cell: ({ seated }) => countText(seated) },
    {
      name: 'Shares',
      cell: (one) => (
        <div class="case-bar">
          <SplitBar
            label={`${one.seats} seats`}
            whole={supply}
            parts={partsOf(allocateTokens(active, supply, one.seats).shares, one.half)}
          />
        </div>
      ),
      wide: true,
    },
    { name: 'Largest', number: true, cell: ({ largest }) => percentText(largest, supply) },
    { name: 'Smallest', number: true, cell: ({ smallest }) => percentText(smallest, supply) },
    { name: 'More than half have', number: true, cell: ({ half }) => countText(half), minor: true },
    {
      name: 'Gini',
      about: '0 where all have the same, towards 1 the less even',
      number: true,
      minor: true,
      cell: ({ gini }) => gini.slice(0, 6),
    },
    { name: 'Stake seated', number: true, minor: true, cell: ({ stake }) => <Amount wei={stake} /> },
  ]
  const least = Math.min(...SEATS)
  return (
    <>
      <Table caption="The deal by seats" columns={columns} rows={cases} keyOf={(one) => String(one.seats)} />
      {active.length <= least && (
        <p class="note">
          Only {countText(active.length)} transcoders are active with stake at this round, so that {least} seats and
          more all come to the same: fewer show a difference.
        </p>
      )}
    </>
  )
}

type VotingToken = VotingTokensQuery['votingTokens'][number]
type Holder = NonNullable<VotingToken['holders']>['nodes'][number]

/** Who holds the DAO's voting tokens, now or at the end of a block. */
function Holders({ deal }: { deal: Deal }) {
  const { query, route, path } = useLocation()
  const block = /^\d{1,15}$/.test(query.block ?? '') ? query.block : undefined
  const variables = block === undefined ? {} : { block }
  const asked = useAnswer(VotingTokensDocument, variables)
  const problems = asked.answer?.problems ?? []
  const dealt = useMemo(() => new Map(deal.shares.map(({ transcoder, tokens }) => [transcoder, tokens])), [deal])
  return (
    <Panel
      id="holders"
      title="Who holds TDT"
      lead={
        block === undefined ? 'Now, by the token’s own transfers.' : `At the end of block ${countText(BigInt(block))}.`
      }
      asked={asked}
      empty={({ votingTokens }) => votingTokens.length === 0 && 'No Aragon DAO and so no voting token is indexed here.'}
      sources={{ query: { document: VotingTokensDocument, variables } }}
    >
      {({ votingTokens }) => (
        <>
          <form
            class="filters"
            onSubmit={(event) => {
              event.preventDefault()
              const text = String(new FormData(event.currentTarget).get('block') ?? '').trim()
              route(placeWith(path, query, { block: /^\d{1,15}$/.test(text) ? text : '' }), true)
            }}
          >
            <label>
              Block of its chain{' '}
              <input name="block" inputMode="numeric" size={12} placeholder="now" defaultValue={block} key={block} />
            </label>
            <button type="submit">Show</button>
          </form>
          {votingTokens.map((token, index) => (
            <Token
              key={token.address}
              token={token}
              dealt={dealt}
              problem={problemAt(problems, 'votingTokens', index, 'holders')}
            />
          ))}
        </>
      )}
    </Panel>
  )
}

function Token({
  token: { address, network, totalSupply, holders },
  dealt,
  problem,
}: {
  token: VotingToken
  dealt: ReadonlyMap<string, bigint>
  problem: Parameters<typeof Refused>[0]['problem']
}) {
  if (holders === null || totalSupply === null) {
    return problem === undefined ? <Skeleton rows={3} /> : <Trouble problem={problem} />
  }
  const total = BigInt(totalSupply)
  const columns: readonly Column<Holder>[] = [
    { name: 'Holder', cell: ({ holder }) => <Address of={holder} /> },
    { name: 'TDT', number: true, cell: ({ balance }) => <Amount wei={balance} unit="" /> },
    { name: 'Share', number: true, cell: ({ balance }) => percentText(BigInt(balance), total) },
    {
      name: 'In the deal above',
      about: 'What the deal above gives the same account',
      number: true,
      cell: ({ holder }) => {
        const tokens = dealt.get(holder)
        return tokens === undefined ? <span class="unit">nothing</span> : <Amount wei={tokens} unit="" />
      },
    },
  ]
  return (
    <>
      <p>
        <Hash of={address} /> on {network}: <Amount wei={total} unit="TDT" /> in all, held by{' '}
        {countText(holders.totalCount)}. <a href="/proposals?system=ARAGON">What they voted on</a>.
      </p>
      <SplitBar
        label="TDT by holder"
        whole={total}
        parts={partsOf(
          holders.nodes.map(({ holder, balance }) => ({ transcoder: holder, tokens: BigInt(balance) })),
          leastForHalf(holders.nodes.map(({ balance }) => ({ tokens: BigInt(balance) }))),
        )}
      />
      <Table
        caption="Who holds the voting token"
        columns={columns}
        rows={holders.nodes}
        keyOf={({ holder }) => holder}
        total={holders.totalCount > holders.nodes.length ? holders.totalCount : undefined}
      />
    </>
  )
}
