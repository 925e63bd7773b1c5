import { percentText } from '../amounts.ts'
import type { VotingSystem } from '../generated/proposal.ts'
import { Address, Amount } from '../parts/figures.tsx'
import { unitOf } from '../parts/proposals.tsx'
import { type Order, Table } from '../parts/table.tsx'
import type { ToldAbsentee } from './counting.ts'
import { electorateName } from './result.tsx'

/** Who could have added weight and did not. */
export function Absent({
  system,
  absentees,
  total,
  electorate,
  order,
  filter,
  onShow,
}: {
  system: VotingSystem
  absentees: readonly ToldAbsentee[]
  total: number
  /** Wei; undefined where it cannot be told. */
  electorate: bigint | undefined
  order: Order | undefined
  filter: string
  onShow: (next: Partial<Record<'absentSort' | 'absentFilter', string>>, isTyping?: boolean) => void
}) {
  const unit = unitOf(system)
  return (
    <Table<ToldAbsentee>
      caption="Who did not vote"
      rows={absentees}
      keyOf={({ account }) => account}
      total={total}
      order={order}
      onOrder={({ column, descending }) => onShow({ absentSort: `${column}.${descending ? 'desc' : 'asc'}` })}
      filter={filter}
      onFilter={(text) => onShow({ absentFilter: text }, filter !== '')}
      filterName="Account"
      columns={[
        {
          name: system === 'ARAGON' ? 'Holder' : 'Transcoder',
          text: ({ account }) => account,
          by: ({ account }) => account,
          cell: ({ account }) => <Address of={account} />,
        },
        {
          name: 'Would have added',
          about: 'Its power, less that of its delegators that voted themselves',
          number: true,
          unit,
          by: ({ power }) => BigInt(power),
          cell: ({ power }) => <Amount wei={power} unit={unit} bare />,
        },
        ...(electorate === undefined
          ? []
          : [
              {
                name: `Of ${electorateName(system)}`,
                number: true,
                minor: true,
                cell: ({ power }: ToldAbsentee) => percentText(BigInt(power), electorate),
              },
            ]),
        ...(system === 'TREASURY'
          ? [
              {
                name: 'In the electorate',
                about: 'Whether it was in the active set of the snapshot; the quorum is measured against that alone',
                by: ({ counts }: ToldAbsentee) => (counts ? 'yes' : 'no'),
                cell: ({ counts }: ToldAbsentee) => (counts ? 'yes' : <span class="unit">no, not active then</span>),
              },
            ]
          : []),
      ]}
    />
  )
}
