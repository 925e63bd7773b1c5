import { sumOf } from '../amounts.ts'

/** Sums over the transfers of a treasury or vault: exact, and to be compared with what the API tells. */

/** LPT that came or went; wei. */
export interface Transfer {
  from: string
  to: string
  amount: bigint
  balanceAfter: bigint
  block: bigint
  logIndex: number
  /** ISO 8601. */
  time: string
  round: number | null
  hash: string
  proposal: { id: string; title: string } | null
}

/** Whether it left the treasury; one to itself left it and came back. */
export function isPayment({ from }: Transfer, treasury: string): boolean {
  return from === treasury
}

/** All that came in and all that went out, with how many transfers each; wei. */
export function sumsOf(transfers: readonly Transfer[], treasury: string) {
  const came = transfers.filter(({ to }) => to === treasury)
  const went = transfers.filter((transfer) => isPayment(transfer, treasury))
  return {
    totalIn: sumOf(came.map(({ amount }) => amount)),
    totalOut: sumOf(went.map(({ amount }) => amount)),
    countIn: came.length,
    countOut: went.length,
  }
}

/** Whether each balance is the one before it with the transfer added or taken off: from nothing on, in order. */
export function isUnbroken(transfers: readonly Transfer[], treasury: string): boolean {
  let balance = 0n
  return transfers.every(({ from, to, amount, balanceAfter }) => {
    balance += (to === treasury ? amount : 0n) - (from === treasury ? amount : 0n)
    return balance === balanceAfter
  })
}

/** What one account got of a treasury, or gave it; wei. */
export interface Party {
  account: string
  amount: bigint
  count: number
  /** By which proposals, each once, in order. */
  proposals: readonly { id: string; title: string }[]
}

/** Who got what went out, or gave what came in; most first, then by address. */
export function partiesOf(transfers: readonly Transfer[], treasury: string, side: 'RECEIVERS' | 'GIVERS'): Party[] {
  const parties = new Map<string, { amount: bigint; count: number; proposals: Map<string, string> }>()
  for (const { from, to, amount, proposal } of transfers) {
    const [mine, account] = side === 'RECEIVERS' ? [from, to] : [to, from]
    if (mine !== treasury) continue
    const party = parties.get(account) ?? { amount: 0n, count: 0, proposals: new Map<string, string>() }
    party.amount += amount
    party.count += 1
    if (proposal !== null) party.proposals.set(proposal.id, proposal.title)
    parties.set(account, party)
  }
  return [...parties]
    .map(([account, { amount, count, proposals }]) => ({
      account,
      amount,
      count,
      proposals: [...proposals].map(([id, title]) => ({ id, title })),
    }))
    .sort((a, b) => (a.amount === b.amount ? (a.account < b.account ? -1 : 1) : a.amount > b.amount ? -1 : 1))
}

/** What came in during a round, or where there are no rounds, on a day. */
export interface Income {
  /** The round, or the day as ISO 8601 has it. */
  period: number | string
  amount: bigint
  count: number
}

/** What came in, by round; by day of UTC where a transfer was in none. In order; nothing for a period without income. */
export function incomeOf(transfers: readonly Transfer[], treasury: string): Income[] {
  const hasRounds = transfers.every(({ round }) => round !== null)
  const periods = new Map<number | string, Income>()
  for (const { to, amount, round, time } of transfers) {
    if (to !== treasury) continue
    const period = hasRounds && round !== null ? round : time.slice(0, 10)
    const income = periods.get(period) ?? { period, amount: 0n, count: 0 }
    income.amount += amount
    income.count += 1
    periods.set(period, income)
  }
  return [...periods.values()]
}

/** How many moments a line over time is made of, payments beside. */
const MOMENTS = 400

/**
 * The transfers that a line of the balance is drawn by: every payment, and of the others enough that no more can be seen,
 * the last of each stretch of time.
 */
export function momentsOf(transfers: readonly Transfer[], treasury: string): Transfer[] {
  const [first] = transfers
  const last = transfers.at(-1)
  if (first === undefined || last === undefined) return []
  const start = Date.parse(first.time)
  const stretch = Math.max(1, (Date.parse(last.time) - start) / MOMENTS)
  const stretchOf = ({ time }: Transfer) => Math.floor((Date.parse(time) - start) / stretch)
  return transfers.filter((transfer, index) => {
    const next = transfers[index + 1]
    return index === 0 || next === undefined || isPayment(transfer, treasury) || stretchOf(next) !== stretchOf(transfer)
  })
}
