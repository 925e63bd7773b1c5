import './treasury.css'
import { useEffect, useMemo, useReducer, useRef } from 'preact/hooks'
import { useLocation } from 'preact-iso'
import { amountText, compareAmounts, countText, percentText, shortAmount, sumOf } from '../amounts.ts'
import { ask, useAnswer } from '../ask.ts'
import { drawnTokens, weiOf } from '../charts/drawn.ts'
import { StepLine } from '../charts/step-line.tsx'
import { timeTicks } from '../charts/time-ticks.ts'
import { TreasuriesDocument, type TreasuriesQuery, TreasuryTransfersDocument } from '../generated/treasury.ts'
import { day } from '../moments.ts'
import { Check } from '../parts/check.tsx'
import { Address, Amount, Hash, When } from '../parts/figures.tsx'
import { orderOf, orderText } from '../parts/order.ts'
import { PageHead } from '../parts/page.tsx'
import { Panel, Refused, Skeleton, Trouble } from '../parts/panel.tsx'
import { placeWith } from '../parts/place.ts'
import { type Column, Table } from '../parts/table.tsx'
import { type Problem, problemAt } from '../problems.ts'
import {
  type Income,
  incomeOf,
  isPayment,
  isUnbroken,
  momentsOf,
  type Party,
  partiesOf,
  sumsOf,
  type Transfer,
} from './treasury-sums.ts'

type Treasury = TreasuriesQuery['treasuries'][number]

/** More transfers than this are read when the reader says so: a thousand is a request. */
const READ_AT_ONCE = 10_000

/** What votes can spend: what came in, what went out, by which proposal, and that it adds up. */
export function Treasury() {
  const asked = useAnswer(TreasuriesDocument, {})
  const problems = asked.answer?.problems ?? []
  const treasuries = asked.answer?.data?.treasuries ?? []
  const read = useTransfers(treasuries)
  useAnchor(treasuries.length + [...read.of.values()].filter(({ isWhole }) => isWhole).length)
  return (
    <>
      <PageHead title="Treasury" tab="Treasury">
        <p class="lead">
          The LPT that votes can spend: the treasury of the LivepeerGovernor, which a part of every reward goes to, and
          the vault of each Aragon DAO. What came in less what went out is what is there, to the wei.
        </p>
      </PageHead>
      {(asked.answer === undefined || asked.answer.data === null || treasuries.length === 0) && (
        <Panel
          id="treasuries"
          title="Treasuries"
          asked={asked}
          rows={6}
          empty={() => 'No treasury and no vault is indexed.'}
        >
          {() => null}
        </Panel>
      )}
      {treasuries.map((treasury, index) => (
        <Panel
          key={treasury.address}
          id={treasury.address}
          title={nameOf(treasury, asked.answer?.data?.status ?? [])}
          asked={asked}
          lead={
            <>
              <Hash of={treasury.address} /> on {treasury.network}
            </>
          }
          sources={{ query: { document: TreasuriesDocument, variables: {} } }}
        >
          {() => (
            <OneTreasury
              treasury={treasury}
              problem={problemAt(problems, 'treasuries', index, 'balance')}
              read={read.of.get(treasury.address) ?? NOTHING_READ}
              load={() => read.load(treasury)}
            />
          )}
        </Panel>
      ))}
      {treasuries.length > 0 && <Transfers treasuries={treasuries} read={read.of} />}
    </>
  )
}

/** What the networks file calls it: the governor's Treasury, or the Vault of a DAO. */
function nameOf({ address, network }: Treasury, status: TreasuriesQuery['status']): string {
  const contracts = status.find((chain) => chain.network === network)?.contracts ?? []
  const name = contracts.find((contract) => contract.address === address)?.name
  if (name === undefined) return `Treasury on ${network}`
  return name.startsWith('Vault') ? `Vault of the Aragon DAO on ${network}` : `Treasury of the governor on ${network}`
}

/**
 * An address after # is of what is there only once it is answered, and lies lower once more is drawn above it: it is gone
 * to each time, until the reader moves.
 */
function useAnchor(drawn: number): void {
  const moved = useRef(false)
  useEffect(() => {
    const move = () => {
      moved.current = true
    }
    const kinds = ['wheel', 'pointerdown', 'keydown', 'touchstart'] as const
    for (const kind of kinds) addEventListener(kind, move, { passive: true })
    return () => {
      for (const kind of kinds) removeEventListener(kind, move)
    }
  }, [])
  useEffect(() => {
    if (drawn === 0 || moved.current || location.hash === '') return
    document.getElementById(location.hash.slice(1).toLowerCase())?.scrollIntoView()
  }, [drawn])
}

interface Read {
  transfers: readonly Transfer[]
  /** Whether these are all. */
  isWhole: boolean
  isAsking: boolean
  problem: Problem | undefined
}

const NOTHING_READ: Read = { transfers: [], isWhole: false, isAsking: false, problem: undefined }

/** All transfers of each treasury, page by page; those with very many only when asked to. */
function useTransfers(treasuries: readonly Treasury[]) {
  const [of, set] = useReducer(
    (all: ReadonlyMap<string, Read>, [address, next]: [string, Read]) => new Map(all).set(address, next),
    new Map<string, Read>(),
  )
  const load = async ({ address, network }: Treasury, isOver: () => boolean = () => false) => {
    const transfers: Transfer[] = []
    const before = of.get(address)
    const step = (next: Partial<Read>) => {
      // What was read before stays until all is there anew.
      const shown = before?.isWhole === true && next.isWhole !== true ? before : { transfers: [...transfers] }
      if (!isOver()) set([address, { ...NOTHING_READ, ...shown, ...next }])
    }
    step({ isAsking: true })
    let after: string | null = null
    do {
      const variables: { network: string; after?: string } = after === null ? { network } : { network, after }
      const { data, problems }: Awaited<ReturnType<typeof askTransfers>> = await askTransfers(variables)
      const page = data?.treasuries.find((treasury) => treasury.address === address)?.transfers
      if (page === null || page === undefined) return step({ isAsking: false, problem: problems[0] })
      for (const { at, amount, balanceAfter, ...transfer } of page.nodes) {
        const { block, logIndex, timestamp, round, transactionHash } = at
        transfers.push({
          ...transfer,
          amount: BigInt(amount),
          balanceAfter: BigInt(balanceAfter),
          block: BigInt(block),
          logIndex,
          time: timestamp,
          round,
          hash: transactionHash,
        })
      }
      after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null
      if (after !== null) step({ isAsking: true })
    } while (after !== null && !isOver())
    step({ isWhole: true })
  }
  const key = treasuries.map(({ address, transfers }) => `${address} ${transfers?.totalCount}`).join()
  useEffect(() => {
    let over = false
    for (const treasury of treasuries) {
      if ((treasury.transfers?.totalCount ?? 0) <= READ_AT_ONCE) void load(treasury, () => over)
    }
    return () => {
      over = true
    }
  }, [key])
  return { of, load: (treasury: Treasury) => void load(treasury) }
}

function askTransfers(variables: { network: string; after?: string }) {
  return ask(TreasuryTransfersDocument, variables)
}

function OneTreasury({
  treasury,
  problem,
  read,
  load,
}: {
  treasury: Treasury
  problem: Problem | undefined
  read: Read
  load: () => void
}) {
  const { address, network, balance, totalIn, totalOut, transfers } = treasury
  const count = transfers?.totalCount ?? 0
  // From the first paint on, so that nothing moves when reading begins.
  const isReading = read.isAsking || (count <= READ_AT_ONCE && read.problem === undefined)
  const sums = useMemo(() => sumsOf(read.transfers, address), [read.transfers, address])
  return (
    <>
      <div class="columns halves">
        <Sum treasury={treasury} problem={problem} sums={read.isWhole ? sums : undefined} />
        <div class="checks">
          {read.isWhole && count > 0 && (
            <>
              <p>Each of the {countText(read.transfers.length)} transfers was added up in this browser:</p>
              <ul>
                <Check holds={String(sums.totalIn) === totalIn}>
                  the {countText(sums.countIn)} that came in are what the API tells as their sum
                </Check>
                <Check holds={String(sums.totalOut) === totalOut}>
                  the {countText(sums.countOut)} that went out are, too
                </Check>
                <Check holds={isUnbroken(read.transfers, address)}>
                  each balance is the one before it with the transfer
                </Check>
                {balance !== null && (
                  <Check holds={BigInt(totalIn) - BigInt(totalOut) === BigInt(balance)}>
                    in less out is the balance, to the wei
                  </Check>
                )}
              </ul>
            </>
          )}
          {!read.isWhole && count > 0 && read.problem === undefined && (
            <p role="status">
              {isReading
                ? `${countText(read.transfers.length)} of ${countText(count)} transfers read…`
                : `There are ${countText(count)} transfers: `}
              {!isReading && (
                <button type="button" onClick={load}>
                  Read them all
                </button>
              )}
            </p>
          )}
          {read.problem !== undefined && <Trouble problem={read.problem} again={load} />}
        </div>
      </div>
      {count > 0 && !read.isWhole && isReading && (
        <div class="reading">
          <Skeleton rows={6} />
        </div>
      )}
      {read.isWhole && count > 0 && (
        <>
          <h3>Balance</h3>
          <BalanceLine transfers={read.transfers} treasury={address} network={network} />
          <div class="columns halves">
            <div>
              <h3>What came in</h3>
              <IncomeLine income={incomeOf(read.transfers, address)} total={sums.totalIn} network={network} />
            </div>
            <div>
              <h3>Largest receivers</h3>
              <Parties
                caption={`Who got most of ${address}`}
                parties={partiesOf(read.transfers, address, 'RECEIVERS')}
                whole={sums.totalOut}
                of="all that went out"
              />
              <h3>Who it came from</h3>
              <Parties
                caption={`Who gave most to ${address}`}
                parties={partiesOf(read.transfers, address, 'GIVERS')}
                whole={sums.totalIn}
                of="all that came in"
              />
            </div>
          </div>
        </>
      )}
    </>
  )
}

/** In less out is the balance, written as one adds up on paper: all digits, points below each other. */
function Sum({
  treasury: { balance, totalIn, totalOut },
  problem,
  sums,
}: {
  treasury: Treasury
  problem: Problem | undefined
  sums: ReturnType<typeof sumsOf> | undefined
}) {
  return (
    <table class="sum">
      <caption class="unseen">In less out is the balance</caption>
      <tbody>
        <tr>
          <th scope="row">
            came in {sums !== undefined && <span class="unit">{countText(sums.countIn)} transfers</span>}
          </th>
          <td class="number">
            <Whole wei={totalIn} />
          </td>
        </tr>
        <tr>
          <th scope="row">
            went out {sums !== undefined && <span class="unit">{countText(sums.countOut)} transfers</span>}
          </th>
          <td class="number">
            − <Whole wei={totalOut} />
          </td>
        </tr>
      </tbody>
      <tfoot>
        <tr>
          <th scope="row">is there now</th>
          <td class="number">{balance === null ? <Refused problem={problem} /> : <Whole wei={balance} />}</td>
        </tr>
      </tfoot>
    </table>
  )
}

/** An amount with all its digits, whatever the rest of the page shows. */
function Whole({ wei }: { wei: string }) {
  const text = amountText(BigInt(wei), 'ALL')
  const point = text.indexOf('.') + 3
  return (
    <data value={wei} class="amount" data-unit="LPT">
      {text.slice(0, point)}
      <span class="rest">{text.slice(point)}</span>
      <span class="unit"> LPT</span>
    </data>
  )
}

function BalanceLine({
  transfers,
  treasury,
  network,
}: {
  transfers: readonly Transfer[]
  treasury: string
  network: string
}) {
  const moments = useMemo(() => momentsOf(transfers, treasury), [transfers, treasury])
  const [first] = moments
  const last = moments.at(-1)
  if (first === undefined || last === undefined) return null
  const payments = moments.filter((transfer) => isPayment(transfer, treasury))
  const x = ({ time }: Transfer) => Date.parse(time)
  const marks = new Set(payments.map(x))
  const highest = moments.reduce((most, { balanceAfter }) => (balanceAfter > most ? balanceAfter : most), 0n)
  return (
    <StepLine
      label="Balance over time"
      summary={`From ${day(first.time)} to ${day(last.time)}: at most ${amountText(highest)} LPT, ${amountText(last.balanceAfter)} at last; ${countText(payments.length)} ${payments.length === 1 ? 'payment' : 'payments'} out, each a dotted line.`}
      series={[
        {
          name: 'balance, LPT',
          kind: 'first',
          filled: true,
          points: moments.map((transfer) => ({ x: x(transfer), y: drawnTokens(transfer.balanceAfter) })),
        },
      ]}
      marks={[...marks].map((at) => ({ x: at, name: '' }))}
      marksX={timeTicks(x(first), x(last))}
      formatX={(at) => day(new Date(at).toISOString())}
      formatY={(tokens) => shortAmount(weiOf(tokens))}
      tell={(at) => {
        const then = moments.filter((transfer) => x(transfer) === at)
        const end = then.at(-1)
        if (end === undefined) return null
        const paid = then.filter((transfer) => isPayment(transfer, treasury))
        return (
          <>
            <Amount wei={end.balanceAfter} /> after <When at={end.time} round={end.round} />
            {paid.map(({ hash, amount, to, proposal, logIndex }) => (
              <span key={`${hash} ${logIndex}`}>
                {' '}
                · paid <Amount wei={amount} /> to <Address of={to} />
                {proposal !== null && (
                  <>
                    {' '}
                    by <a href={`/proposals/${proposal.id}`}>{proposal.title}</a>
                  </>
                )}
              </span>
            ))}
          </>
        )
      }}
      table={
        <Table
          caption={`Balance after each payment, ${network}`}
          columns={PAYMENT_COLUMNS}
          rows={[...payments].reverse()}
          keyOf={({ hash, logIndex }) => `${hash} ${logIndex}`}
        />
      }
    />
  )
}

const PAYMENT_COLUMNS: readonly Column<Transfer>[] = [
  { name: 'When', cell: ({ time, round }) => <When at={time} round={round} brief /> },
  { name: 'Paid', number: true, cell: ({ amount }) => <Amount wei={amount} /> },
  { name: 'To', cell: ({ to }) => <Address of={to} /> },
  { name: 'Balance after it', number: true, cell: ({ balanceAfter }) => <Amount wei={balanceAfter} /> },
]

function IncomeLine({ income, total, network }: { income: readonly Income[]; total: bigint; network: string }) {
  const [first] = income
  const last = income.at(-1)
  if (first === undefined || last === undefined) return <p class="note">Nothing came in.</p>
  const isByRound = typeof first.period === 'number'
  const x = ({ period }: Income) => (typeof period === 'number' ? period : Date.parse(period))
  const step = isByRound ? 1 : 86_400_000
  // A period without income is a step down to nothing.
  const points = income.flatMap((entry, index) => {
    const next = income[index + 1]
    const at = { x: x(entry), y: drawnTokens(entry.amount) }
    return next !== undefined && x(next) === at.x + step ? [at] : [at, { x: at.x + step, y: 0 }]
  })
  const most = income.reduce((a, b) => (b.amount > a.amount ? b : a), first)
  const name = (period: Income['period']) => (typeof period === 'number' ? `round ${countText(period)}` : day(period))
  const average = total / BigInt(income.length)
  return (
    <StepLine
      label={isByRound ? 'Income per round' : 'Income per day'}
      summary={`Something came in during ${countText(income.length)} ${isByRound ? 'rounds' : 'days'}: ${amountText(average)} LPT each on average, most in ${name(most.period)}, ${amountText(most.amount)} LPT.`}
      series={[{ name: `income per ${isByRound ? 'round' : 'day'}, LPT`, kind: 'second', filled: true, points }]}
      formatX={(at) => (isByRound ? countText(at) : day(new Date(at).toISOString()))}
      {...(isByRound ? {} : { marksX: timeTicks(x(first), x(last) + step) })}
      formatY={(tokens) => shortAmount(weiOf(tokens))}
      tell={(at) => {
        const entry = income.find((candidate) => x(candidate) === at)
        return entry === undefined ? (
          'nothing came in'
        ) : (
          <>
            {name(entry.period)}: <Amount wei={entry.amount} /> in {countText(entry.count)}{' '}
            {entry.count === 1 ? 'transfer' : 'transfers'}
          </>
        )
      }}
      table={
        <Table
          caption={`Income, ${network}`}
          columns={INCOME_COLUMNS}
          rows={[...income].reverse()}
          keyOf={({ period }) => String(period)}
        />
      }
    />
  )
}

const INCOME_COLUMNS: readonly Column<Income>[] = [
  { name: 'Round or day', cell: ({ period }) => (typeof period === 'number' ? countText(period) : day(period)) },
  { name: 'Came in', number: true, cell: ({ amount }) => <Amount wei={amount} /> },
  { name: 'Transfers', number: true, cell: ({ count }) => countText(count) },
]

/** How many receivers are listed; the table of transfers has all. */
const LISTED = 10

function Parties({
  caption,
  parties,
  whole,
  of,
}: {
  caption: string
  parties: readonly Party[]
  whole: bigint
  of: string
}) {
  if (parties.length === 0) return <p class="note">Nobody yet.</p>
  const columns: readonly Column<Party>[] = [
    {
      name: 'Account',
      cell: ({ account, proposals }) => (
        <>
          <Address of={account} />
          {proposals.map(({ id, title }) => (
            <a key={id} class="title by" href={`/proposals/${id}`}>
              {title}
            </a>
          ))}
        </>
      ),
    },
    { name: 'LPT', number: true, cell: ({ amount }) => <Amount wei={amount} unit="" /> },
    { name: 'Share', about: `Of ${of}`, number: true, cell: ({ amount }) => percentText(amount, whole) },
    { name: 'Transfers', number: true, minor: true, cell: ({ count }) => countText(count) },
  ]
  const rest = parties.slice(LISTED)
  return (
    <>
      <Table caption={caption} columns={columns} rows={parties.slice(0, LISTED)} keyOf={({ account }) => account} />
      {rest.length > 0 && (
        <p class="note">
          {countText(rest.length)} more: <Amount wei={sumOf(rest.map(({ amount }) => amount))} /> together.
        </p>
      )}
    </>
  )
}

/** A transfer in the table of all. */
interface Row extends Transfer {
  treasury: Treasury
  other: string
  isOut: boolean
}

const COLUMNS: readonly Column<Row>[] = [
  {
    name: 'When',
    cell: ({ time, round }) => <When at={time} round={round} brief />,
    by: ({ time, logIndex }) => `${time} ${String(logIndex).padStart(9, '0')}`,
  },
  {
    name: 'LPT',
    number: true,
    cell: ({ amount, isOut }) => (
      <span class={isOut ? 'went' : 'came'}>
        {isOut ? '−' : '+'} <Amount wei={amount} unit="" />
      </span>
    ),
    by: ({ amount }) => amount,
  },
  {
    name: 'From or to',
    cell: ({ other, isOut }) => (
      <>
        <span class="unit">{isOut ? 'to ' : 'from '}</span>
        {/^0x0{40}$/.test(other) ? 'newly minted' : <Address of={other} />}
      </>
    ),
    text: ({ other }) => other,
  },
  {
    name: 'By',
    about: 'The proposal whose execution made it',
    cell: ({ proposal }) =>
      proposal === null ? (
        <span class="unit">–</span>
      ) : (
        <a class="by-proposal" href={`/proposals/${proposal.id}`} title={proposal.title}>
          {proposal.title}
        </a>
      ),
    text: ({ proposal }) => proposal?.title ?? '',
    by: ({ proposal }) => proposal?.title ?? '',
  },
  {
    name: 'Balance after it',
    number: true,
    minor: true,
    cell: ({ balanceAfter }) => <Amount wei={balanceAfter} unit="" />,
    by: ({ balanceAfter }) => balanceAfter,
  },
  {
    name: 'Transaction',
    minor: true,
    cell: ({ hash }) => <Hash of={hash} />,
    text: ({ hash, treasury }) => `${hash} ${treasury.network}`,
  },
]

/** Every transfer of every treasury in one table. */
function Transfers({ treasuries, read }: { treasuries: readonly Treasury[]; read: ReadonlyMap<string, Read> }) {
  const { query, route, path } = useLocation()
  const set = (changes: Record<string, string>) => route(placeWith(path, query, changes), true)
  const all = useMemo(
    () =>
      treasuries.flatMap((treasury) =>
        (read.get(treasury.address)?.transfers ?? []).map((transfer): Row => {
          const isOut = isPayment(transfer, treasury.address)
          return { ...transfer, treasury, isOut, other: isOut ? transfer.to : transfer.from }
        }),
      ),
    [treasuries, read],
  )
  const rows = useMemo(
    () =>
      all.filter(
        ({ treasury, isOut, proposal }) =>
          (query.of === undefined || query.of === treasury.address) &&
          (query.way !== 'in' || !isOut) &&
          (query.way !== 'out' || isOut) &&
          (query.way !== 'proposal' || proposal !== null),
      ),
    [all, query.of, query.way],
  )
  const total = treasuries.reduce((sum, { transfers }) => sum + (transfers?.totalCount ?? 0), 0)
  return (
    <Panel
      id="transfers"
      title={`${countText(total)} transfers`}
      lead="Every one, newest first unless ordered otherwise. Balances and sums above are made of these."
      sources={{ query: { document: TreasuryTransfersDocument, variables: { network: treasuries[0]?.network ?? '' } } }}
    >
      <div class="filters">
        <label>
          Treasury
          <select value={query.of ?? ''} onChange={(event) => set({ of: event.currentTarget.value })}>
            <option value="">All</option>
            {treasuries.map(({ address, network }) => (
              <option key={address} value={address}>
                {network} {address.slice(0, 8)}…
              </option>
            ))}
          </select>
        </label>
        <label>
          Which
          <select value={query.way ?? ''} onChange={(event) => set({ way: event.currentTarget.value })}>
            <option value="">In and out</option>
            <option value="in">Came in</option>
            <option value="out">Went out</option>
            <option value="proposal">Made by a proposal</option>
          </select>
        </label>
      </div>
      <Table
        caption="Transfers"
        columns={COLUMNS}
        rows={rows}
        keyOf={({ hash, logIndex, treasury }) => `${hash} ${logIndex} ${treasury.address}`}
        order={orderOf(query.sort, COLUMNS) ?? { column: 'When', descending: true }}
        onOrder={(order) => set({ sort: orderText(order) })}
        filter={query.q ?? ''}
        onFilter={(q) => set({ q })}
        filterName="Account, proposal, transaction or chain"
        total={all.length < total ? total : undefined}
      />
      <Shown rows={rows} />
    </Panel>
  )
}

/** What is in the table, added up. */
function Shown({ rows }: { rows: readonly Row[] }) {
  const came = sumOf(rows.filter(({ isOut }) => !isOut).map(({ amount }) => amount))
  const went = sumOf(rows.filter(({ isOut }) => isOut).map(({ amount }) => amount))
  return (
    <p class="note">
      Of the treasury and way chosen: <Amount wei={came} /> came in, <Amount wei={went} /> went out
      {compareAmounts(came, went) >= 0 ? (
        <>
          , <Amount wei={came - went} /> more in than out.
        </>
      ) : (
        <>
          , <Amount wei={went - came} /> more out than in.
        </>
      )}
    </p>
  )
}
