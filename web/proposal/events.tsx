import type { ComponentChildren } from 'preact'
import { countText } from '../amounts.ts'
import type { ProposalEventKind } from '../generated/proposal.ts'
import { Address, Amount, Hash, When } from '../parts/figures.tsx'
import { Table } from '../parts/table.tsx'
import { WhenOpen } from '../parts/when-open.tsx'
import type { ToldProposal } from './counting.ts'

const KINDS: Readonly<Record<ProposalEventKind, string>> = {
  CREATED: 'Proposed',
  VOTING_OPENED: 'Voting opens',
  VOTING_CLOSED: 'Voting closes',
  QUEUED: 'Put into the timelock',
  EXECUTED: 'Carried out',
  CANCELED: 'Withdrawn',
}

/** What happened to it, and when; estimated where the clock alone can tell. */
export function Timeline({ proposal: { timeline, state } }: { proposal: ToldProposal }) {
  const isOpen = state === 'PENDING' || state === 'ACTIVE'
  return (
    <ol class="timeline">
      {timeline.map(({ kind, timestamp, estimated, round, at }) => {
        const isAhead = isOpen && (kind === 'VOTING_CLOSED' || (kind === 'VOTING_OPENED' && state === 'PENDING'))
        return (
          <li key={`${kind} ${timestamp} ${at?.block}`} class={isAhead ? 'ahead' : undefined}>
            <b>{KINDS[kind]}</b>
            <When at={timestamp} round={round} estimated={estimated} />
            {at !== null && (
              <span class="unit">
                block {countText(BigInt(at.block))}, transaction <Hash of={at.transactionHash} />
              </span>
            )}
          </li>
        )
      })}
    </ol>
  )
}

/** Long bytes: they scroll by themselves, by the keyboard too. */
function Bytes({ name, of }: { name: string; of: string }) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for controls
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls
    <div class="bytes" role="group" aria-label={name} tabIndex={0}>
      <code>{of}</code>
    </div>
  )
}

/** What it does when it is carried out. */
export function Actions({ proposal }: { proposal: ToldProposal }) {
  if ('actions' in proposal) {
    return (
      <>
        <Calls actions={proposal.actions} />
        {proposal.transfers.length > 0 && <Moved transfers={proposal.transfers} />}
      </>
    )
  }
  if ('payments' in proposal) return <Payments proposal={proposal} />
  return null
}

type Told<Part extends PropertyKey> = Extract<ToldProposal, Record<Part, unknown>>

/** The calls that carrying it out makes. */
function Calls({ actions }: Pick<Told<'actions'>, 'actions'>) {
  return (
    <ol class="actions">
      {actions.map(({ target, value, calldata, decoded }, index) => (
        // Calls stand in the order they are made in; two may be the same.
        // biome-ignore lint/suspicious/noArrayIndexKey: the order is the identity
        <li key={index}>
          <p class="call">
            {decoded === null ? <span class="unit">a call that is not known here</span> : <code>{decoded}</code>}
          </p>
          <p>
            <span class="unit">on</span> <Address of={target} />
            {value !== '0' && (
              <>
                , with <Amount wei={value} unit="ETH" />
              </>
            )}
          </p>
          <details>
            <summary>Calldata</summary>
            <Bytes name="Calldata" of={calldata} />
          </details>
        </li>
      ))}
    </ol>
  )
}

/** The LPT that carrying it out moved. */
function Moved({ transfers }: Pick<Told<'transfers'>, 'transfers'>) {
  return (
    <>
      <h3>What that moved</h3>
      <Table
        caption="LPT that its execution moved"
        rows={transfers}
        keyOf={({ from, to, amount, balanceAfter }) => `${from} ${to} ${amount} ${balanceAfter}`}
        columns={[
          { name: 'From', cell: ({ from }) => <Address of={from} />, minor: true },
          { name: 'To', cell: ({ to }) => <Address of={to} /> },
          { name: 'Amount', number: true, cell: ({ amount }) => <Amount wei={amount} /> },
          {
            name: 'Treasury after it',
            number: true,
            minor: true,
            cell: ({ balanceAfter }) => <Amount wei={balanceAfter} />,
          },
        ]}
      />
    </>
  )
}

/** What its execution made the vault pay. */
function Payments({ proposal }: { proposal: Told<'payments'> }) {
  return (
    <>
      {proposal.payments.length === 0 ? (
        <p class="empty">
          {proposal.state === 'EXECUTED' ? 'It made the vault pay nothing.' : 'It was not executed: nothing was paid.'}
        </p>
      ) : (
        <Table
          caption="What its execution paid"
          rows={proposal.payments}
          keyOf={({ token, to, amount, at, reference }) => `${token} ${to} ${amount} ${at.timestamp} ${reference}`}
          columns={[
            { name: 'To', cell: ({ to }) => <Address of={to} /> },
            {
              name: 'Amount',
              about: 'In units of 10^-18 of the token',
              number: true,
              cell: ({ amount, token }) => <Amount wei={amount} unit={token === NO_TOKEN ? 'ETH' : ''} />,
            },
            {
              name: 'Token',
              minor: true,
              cell: ({ token }) => (token === NO_TOKEN ? 'ETH' : <Address of={token} />),
            },
            { name: 'What for', wide: true, cell: ({ reference }) => <bdi dir="auto">{reference ?? '–'}</bdi> },
          ]}
        />
      )}
      {proposal.script !== null && proposal.script.length > 10 && (
        <details>
          <summary>Its script</summary>
          <Bytes name="Script" of={proposal.script} />
        </details>
      )}
    </>
  )
}

const NO_TOKEN = `0x${'0'.repeat(40)}`

/** What else is known of it, by its system. */
export function Facts({ proposal }: { proposal: ToldProposal }) {
  const facts: [string, ComponentChildren][] = [['Proposer', <Address key="proposer" of={proposal.proposer} />]]
  if ('snapshotRound' in proposal) {
    facts.push(
      ['Snapshot', <span key="snapshot">end of round {countText(proposal.snapshotRound)}</span>],
      ['Last round to vote in', countText(proposal.lastRound)],
      [
        'Its id is the hash of its parts',
        proposal.proposalIdVerified === null ? 'cannot be told' : proposal.proposalIdVerified ? 'yes' : 'no',
      ],
      ['Proposal id', <Hash key="id" of={proposal.proposalId} />],
    )
  } else if ('endBlock' in proposal) {
    facts.push(
      ['Last L1 block to vote in', countText(BigInt(proposal.endBlock))],
      ['Contract', <Address key="address" of={proposal.address} />],
      ['Text on IPFS', proposal.ipfsHash === null ? 'none' : <Hash key="ipfs" of={proposal.ipfsHash} />],
    )
    if (proposal.participation !== null) {
      facts.push(
        ['Cast, of all stake (LIP-16)', `${proposal.participation.ofAllStake} %`],
        ['Cast, of active stake (as the public explorer has it)', `${proposal.participation.ofActiveStake} %`],
      )
    }
  } else {
    facts.push(
      ['Vote', countText(BigInt(proposal.voteId))],
      ['Voting app', <Address key="app" of={proposal.app} />],
      ['Balances of block', countText(BigInt(proposal.snapshotBlock))],
      ['Can be executed now', proposal.canExecute === null ? 'not known' : proposal.canExecute ? 'yes' : 'no'],
    )
  }
  return (
    <ul class="facts">
      {facts.map(([name, value]) => (
        <li key={name}>
          <span class="unit">{name}</span> <span>{value}</span>
        </li>
      ))}
    </ul>
  )
}

/** Choices sent to a poll that are none. */
export function InvalidVotes({ proposal }: { proposal: ToldProposal }) {
  if (!('invalidVotes' in proposal) || proposal.invalidVotes.length === 0) return null
  return (
    <div class="invalid">
      <WhenOpen
        summary={`${countText(proposal.invalidVotes.length)} times a choice was sent that is none: it neither counts nor replaces one`}
      >
        <Table
          caption="Choices that are none"
          rows={proposal.invalidVotes}
          keyOf={({ voter, castAt, rawChoice }) => `${voter} ${castAt.timestamp} ${rawChoice}`}
          columns={[
            { name: 'Voter', cell: ({ voter }) => <Address of={voter} /> },
            { name: 'Sent', number: true, cell: ({ rawChoice }) => <span class="hex">{rawChoice}</span> },
            { name: 'When', cell: ({ castAt }) => <When at={castAt.timestamp} round={castAt.round} brief /> },
          ]}
        />
      </WhenOpen>
    </div>
  )
}
