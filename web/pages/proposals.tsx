import { useEffect, useState } from 'preact/hooks'
import { useLocation } from 'preact-iso'
import { countText } from '../amounts.ts'
import { ask, useAnswer } from '../ask.ts'
import { type ProposalRowFragment, ProposalsDocument, type ProposalsQuery } from '../generated/proposals.ts'
import { Address, When } from '../parts/figures.tsx'
import { PageHead } from '../parts/page.tsx'
import { Panel, Refused } from '../parts/panel.tsx'
import { placeWith } from '../parts/place.ts'
import { CastBar, Closing, Margin, STATES, StateBadge, SYSTEM_NAMES, stateName } from '../parts/proposals.tsx'
import { type Column, Table } from '../parts/table.tsx'
import { proposalsVariables } from '../places.ts'
import { problemAt } from '../problems.ts'

const COLUMNS: readonly Column<ProposalRowFragment>[] = [
  { name: 'State', cell: ({ state }) => <StateBadge state={state} />, minor: true },
  {
    name: 'Proposal',
    wide: true,
    cell: ({ id, title, system, network, state }) => (
      <>
        <span class="narrow">
          <StateBadge state={state} />
        </span>
        <a class="title" href={`/proposals/${id}`}>
          {title}
        </a>
        <span class="unit">
          {SYSTEM_NAMES[system]} on {network}
        </span>
      </>
    ),
  },
  {
    name: 'Cast',
    about: 'For, against and abstain of all that was counted',
    cell: (proposal) => (
      <div class="cast-cell">
        <CastBar proposal={proposal} />
        <Margin proposal={proposal} />
      </div>
    ),
  },
  {
    name: 'Voters',
    number: true,
    minor: true,
    cell: ({ turnout }) => (turnout === null ? <Refused problem={undefined} /> : countText(turnout.voters)),
  },
  { name: 'Voting closes', cell: (proposal) => <Closing proposal={proposal} />, minor: true },
  { name: 'Proposer', cell: ({ proposer }) => <Address of={proposer} />, minor: true },
  { name: 'Made', cell: ({ createdAt }) => <When at={createdAt.timestamp} brief />, minor: true },
]

/** All proposals of all systems, as the address filters and orders them. */
export function Proposals() {
  const { query, route, path } = useLocation()
  const variables = proposalsVariables({ query })
  const asked = useAnswer(ProposalsDocument, variables)
  const key = JSON.stringify(variables)
  const more = useMore(key)
  const set = (changes: Record<string, string>, replace = false) => route(placeWith(path, query, changes), replace)
  const problems = asked.answer?.problems ?? []
  return (
    <>
      <PageHead title="Proposals" tab="Proposals">
        <p class="lead">
          Treasury proposals, polls and Aragon votes of all chains, and by how much they passed or failed.
        </p>
      </PageHead>
      <form class="filters" onSubmit={(event) => event.preventDefault()}>
        <label>
          Words{' '}
          <input
            type="search"
            value={query.q ?? ''}
            onInput={(event) => set({ q: event.currentTarget.value }, query.q !== undefined)}
          />
        </label>
        <Choose
          name="System"
          value={query.system ?? ''}
          options={Object.entries(SYSTEM_NAMES).map(([value, name]) => ({ value, name }))}
          onChoose={(system) => set({ system })}
        />
        <Choose
          name="State"
          value={query.state ?? ''}
          options={STATES.map((value) => ({ value, name: stateName(value) }))}
          onChoose={(state) => set({ state })}
        />
        <Choose
          name="Order"
          value={query.order ?? ''}
          all="Newest first"
          options={[
            { value: 'CREATED_ASC', name: 'Oldest first' },
            { value: 'ENDS_DESC', name: 'Voting closes last' },
            { value: 'ENDS_ASC', name: 'Voting closes first' },
          ]}
          onChoose={(order) => set({ order })}
        />
        {(['proposer', 'voter', 'network', 'from', 'to'] as const).map(
          (name) =>
            query[name] !== undefined && (
              <button key={name} type="button" class="chip" onClick={() => set({ [name]: '' })}>
                {name}: {query[name]} ×
              </button>
            ),
        )}
      </form>
      <Panel
        id="proposals"
        title={<Title asked={asked.answer?.data ?? null} />}
        asked={asked}
        rows={16}
        empty={({ proposals }) =>
          proposals.totalCount === 0 &&
          (Object.keys(query).length === 0
            ? 'Nothing was proposed on the chains indexed.'
            : 'No proposal fits all of these filters; take one away.')
        }
        sources={{ csv: '/proposals.csv', json: '/proposals.json', query: { document: ProposalsDocument, variables } }}
      >
        {({ proposals }) => {
          const end = more.end ?? proposals.pageInfo
          return (
            <>
              <LeftOut proposals={proposals} />
              {problemAt(problems, 'proposals') !== undefined && <Refused problem={problemAt(problems, 'proposals')} />}
              <Table
                caption="Proposals"
                columns={COLUMNS}
                rows={[...proposals.nodes, ...more.nodes]}
                keyOf={({ id }) => id}
                total={proposals.totalCount}
              />
              {end.hasNextPage && (
                <p>
                  <button type="button" disabled={more.asking} onClick={() => more.load(query, end.endCursor)}>
                    {more.asking ? 'Asking…' : 'More'}
                  </button>
                </p>
              )}
            </>
          )
        }}
      </Panel>
    </>
  )
}

function Title({ asked }: { asked: ProposalsQuery | null }) {
  if (asked === null) return <>Proposals</>
  const { totalCount } = asked.proposals
  return <>{totalCount === 1 ? '1 proposal' : `${countText(totalCount)} proposals`}</>
}

/** Which ones a filter could not judge. */
function LeftOut({ proposals: { uncounted, textsMissing } }: { proposals: ProposalsQuery['proposals'] }) {
  if (uncounted.length === 0 && textsMissing.length === 0) return null
  return (
    <p class="trouble not-exact">
      {uncounted.length > 0 && <>{countText(uncounted.length)} left out, as their state is not known exactly. </>}
      {textsMissing.length > 0 && (
        <>{countText(textsMissing.length)} polls left out, as their texts could not be had from IPFS to be searched.</>
      )}
    </p>
  )
}

interface More {
  nodes: readonly ProposalRowFragment[]
  end: ProposalsQuery['proposals']['pageInfo'] | undefined
  asking: boolean
  load: (query: Readonly<Record<string, string>>, after: string | null) => void
}

/** The pages after the first; none once something else is asked. */
function useMore(key: string): More {
  const [state, setState] = useState<Omit<More, 'load'>>({ nodes: [], end: undefined, asking: false })
  useEffect(() => setState({ nodes: [], end: undefined, asking: false }), [key])
  const load = async (query: Readonly<Record<string, string>>, after: string | null) => {
    if (after === null) return
    setState((before) => ({ ...before, asking: true }))
    const { data } = await ask(ProposalsDocument, proposalsVariables({ query }, after))
    setState(({ nodes, end }) =>
      data === null
        ? { nodes, end, asking: false }
        : { nodes: [...nodes, ...data.proposals.nodes], end: data.proposals.pageInfo, asking: false },
    )
  }
  return { ...state, load: (query, after) => void load(query, after) }
}

/** One of some, or all. */
function Choose({
  name,
  value,
  options,
  all = 'All',
  onChoose,
}: {
  name: string
  value: string
  options: readonly { value: string; name: string }[]
  all?: string
  onChoose: (value: string) => void
}) {
  return (
    <label>
      {name}{' '}
      <select value={value.toUpperCase()} onChange={(event) => onChoose(event.currentTarget.value)}>
        <option value="">{all}</option>
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.name}
          </option>
        ))}
      </select>
    </label>
  )
}
