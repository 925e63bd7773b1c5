// What becomes of proposals, for feed readers and calendars.
import { generateAtomFeed, generateJsonFeed } from 'feedsmith'
import ICAL from 'ical.js'
import type { Context } from '../graphql/context.ts'
import type { ProposalEvent } from '../graphql/generated/resolvers.ts'
import { isoTime } from '../graphql/positions.ts'
import { allProposals } from '../graphql/proposal-ids.ts'
import { timeline, titleOf } from '../graphql/proposal-resolvers.ts'
import type { Count } from '../rules/proposal-count.ts'
import { type GovernanceView, globalId, type ProposalInView } from '../views/governance-view.ts'
import { countIfExact } from './export-tables.ts'
import { jsonText } from './table-file.ts'

/** The kinds of feeds by the ending of their names, with their content types. */
export const FEEDS = {
  atom: 'application/atom+xml; charset=utf-8',
  'feed.json': 'application/feed+json; charset=utf-8',
  ics: 'text/calendar; charset=utf-8',
} as const

/** The ending of a feed's name. */
export type Feed = keyof typeof FEEDS

/** Only the newest state changes are in a feed: readers fetch it whole, again and again. */
const MOST_ENTRIES = 200

/** Only the voting periods of the proposals created last are in the calendar. */
const MOST_PERIODS = 500

/**
 * A feed about all proposals of some chains as of the indexed block; errors as of `proposalsTable`. `network` is what was
 * asked for, undefined for all chains.
 */
export async function feedText(
  feed: Feed,
  views: readonly GovernanceView[],
  network: string | undefined,
  context: Context,
): Promise<string> {
  if (feed === 'ics') return calendar(views, network, context)
  const entries = await newestEntries(views, context)
  return feed === 'atom' ? atom(entries, network) : jsonFeed(entries, network)
}

/** A change of a proposal's state that has come about. */
interface StateChange {
  proposal: ProposalInView
  /** Null where it cannot be had exactly. */
  count: Count | null
  event: ProposalEvent
  /** ISO 8601. */
  time: string
}

/** A state change as feeds tell it. */
interface Entry {
  /** Never another one for the same state change, whatever else is learnt about it. */
  id: string
  title: string
  content: string
  time: string
  author: string
  tags: string[]
  /** The proposal's votes, seen from where the feeds are. */
  votes: string
}

async function newestEntries(views: readonly GovernanceView[], context: Context): Promise<Entry[]> {
  const changes = (await Promise.all(allProposals(views).map(stateChanges))).flat()
  // Of changes at the same time the later one of a proposal's life comes first.
  const newest = changes.reverse().sort(latestFirst).slice(0, MOST_ENTRIES)
  return Promise.all(newest.map((change) => entryOf(change, context)))
}

async function stateChanges(proposal: ProposalInView): Promise<StateChange[]> {
  const count = await countIfExact(proposal)
  const { timestamp } = proposal.view.chainView.facts.head
  const changes: StateChange[] = []
  // Whatever came about did so before what followed it, and before the indexed block, even where its time is estimated.
  let latest = timestamp === null ? null : isoTime(timestamp)
  for (const event of timeline(proposal).reverse()) {
    if (!(await hasHappened(event, proposal, count))) continue
    const told = event.timestamp ?? latest
    if (told === null) continue
    const time = event.estimated && latest !== null && told > latest ? latest : told
    latest = time
    changes.unshift({ proposal, count, event, time })
  }
  return changes
}

/** Whether a step of a proposal's life has come about; false where a proposal that cannot be counted does not tell. */
async function hasHappened(event: ProposalEvent, proposal: ProposalInView, count: Count | null): Promise<boolean> {
  if (event.at) return true
  const isOpening = event.kind === 'VOTING_OPENED'
  if (count !== null) return count.state !== 'PENDING' && (isOpening || count.state !== 'ACTIVE')
  switch (proposal.system) {
    case 'TREASURY':
      return typeof event.round === 'number' && event.round <= (await proposal.view.roundNow())
    case 'POLL':
      return isOpening || proposal.closing !== null
    case 'ARAGON': {
      const { timestamp } = proposal.view.chainView.facts.head
      return Boolean(event.timestamp && timestamp !== null && event.timestamp <= isoTime(timestamp))
    }
  }
}

function latestFirst(a: StateChange, b: StateChange): number {
  return a.time < b.time ? 1 : a.time > b.time ? -1 : 0
}

const SYSTEMS = { TREASURY: 'Treasury proposal', POLL: 'Poll', ARAGON: 'Aragon vote' } as const

async function entryOf({ proposal, count, event, time }: StateChange, context: Context): Promise<Entry> {
  const { system, proposer } = proposal
  const id = globalId(proposal)
  const title = plainText(await titleOf(proposal, context))
  const sentences = [
    `${SYSTEMS[system]} ${id} on ${proposal.view.chainView.network}, by ${proposer}.`,
    event.kind === 'VOTING_CLOSED' ? tallyText(count) : null,
    typeof event.round === 'number' ? `Round ${event.round}.` : null,
    event.at ? `Block ${event.at.block}, transaction ${event.at.transactionHash}.` : null,
    event.estimated ? 'The time is estimated.' : null,
  ]
  return {
    id: `tag:livepeer-governance,2026:${id}:${event.kind}`,
    title: `${headline(event.kind, count)}: ${title}`,
    content: plainText(sentences.filter((sentence) => sentence !== null).join(' ')),
    time,
    author: proposer,
    tags: [system, event.kind],
    votes: `proposals/${id}/votes.csv`,
  }
}

function headline(kind: ProposalEvent['kind'], count: Count | null): string {
  switch (kind) {
    case 'CREATED':
      return 'Proposed'
    case 'VOTING_OPENED':
      return 'Voting opened'
    case 'VOTING_CLOSED':
      // What the vote came to, which stays so whatever becomes of the proposal later.
      if (count === null) return 'Voting closed'
      return `Voting closed, ${count.quorumReached && count.supportReached ? 'passed' : 'not passed'}`
    case 'QUEUED':
      return 'Queued'
    case 'EXECUTED':
      return 'Executed'
    case 'CANCELED':
      return 'Canceled'
  }
}

function tallyText(count: Count | null): string {
  if (count === null) return 'What it came to cannot be told exactly.'
  const { sums, quorum, quorumReached, supportReached } = count
  const reached = (is: boolean) => (is ? 'reached' : 'not reached')
  return [
    `For ${sums.for}, against ${sums.against}, abstain ${sums.abstain} wei.`,
    `Quorum of ${quorum} wei ${reached(quorumReached)}, support ${reached(supportReached)}.`,
  ].join(' ')
}

function feedTitle(network: string | undefined): string {
  return plainText(`Livepeer governance: proposals${network === undefined ? '' : ` on ${network}`}`)
}

function atom(entries: readonly Entry[], network: string | undefined): string {
  const asked = network === undefined ? '' : `?network=${encodeURIComponent(network)}`
  const text = generateAtomFeed({
    id: `tag:livepeer-governance,2026:proposals${asked}`,
    title: { value: feedTitle(network), type: 'text' },
    updated: entries[0]?.time ?? isoTime(0),
    // Relative: a server does not know by which name it is asked, and what a client calls it is not to be believed.
    links: [{ rel: 'self', type: 'application/atom+xml', href: `proposals.atom${asked}` }],
    entries: entries.map(({ id, title, content, time, author, tags, votes }) => ({
      id,
      title: { value: title, type: 'text' },
      content: { value: content, type: 'text' },
      published: time,
      updated: time,
      authors: [{ name: author }],
      categories: tags.map((term) => ({ term })),
      links: [{ rel: 'alternate', type: 'text/csv', href: votes }],
    })),
    authors: [{ name: 'Livepeer governance' }],
  })
  return `${text.trimEnd()}\n`
}

function jsonFeed(entries: readonly Entry[], network: string | undefined): string {
  const items = entries.map(({ id, title, content, time, author, tags }) => ({
    id,
    title,
    content_text: content,
    date_published: time,
    authors: [{ name: author }],
    tags,
  }))
  // The library leaves an empty list out, which a feed must have.
  return `${jsonText({ items, ...(generateJsonFeed({ title: feedTitle(network), items }) as object) })}\n`
}

/** Octets of a line without its break; the library does not count the blank that goes on with a line (RFC 5545, 3.1). */
ICAL.foldLength = 74

async function calendar(
  views: readonly GovernanceView[],
  network: string | undefined,
  context: Context,
): Promise<string> {
  const latest = allProposals(views)
    .toSorted((a, b) => b.createdAt.timestamp - a.createdAt.timestamp)
    .slice(0, MOST_PERIODS)
  const calendar = new ICAL.Component('vcalendar')
  calendar.addPropertyWithValue('version', '2.0')
  calendar.addPropertyWithValue('prodid', '-//livepeer-governance//proposals//EN')
  calendar.addPropertyWithValue('x-wr-calname', feedTitle(network))
  for (const proposal of latest) {
    const period = votingPeriod(proposal)
    if (period === null) continue
    const id = globalId(proposal)
    const event = new ICAL.Component('vevent')
    event.addPropertyWithValue('uid', `${id}@livepeer-governance`)
    event.addPropertyWithValue('dtstamp', utc(period.revised))
    event.addPropertyWithValue('dtstart', utc(period.start))
    if (period.end !== null) event.addPropertyWithValue('dtend', utc(period.end))
    event.addPropertyWithValue('status', period.status)
    event.addPropertyWithValue('summary', plainText(await titleOf(proposal, context)))
    event.addPropertyWithValue('description', plainText(`${describe(proposal)} ${period.remark}`))
    event.addPropertyWithValue('categories', proposal.system)
    calendar.addSubcomponent(event)
  }
  return `${calendar.toString()}\r\n`
}

function describe(proposal: ProposalInView): string {
  return `${SYSTEMS[proposal.system]} ${globalId(proposal)} on ${proposal.view.chainView.network}, by ${proposal.proposer}.`
}

function utc(time: string) {
  return ICAL.Time.fromJSDate(new Date(time), true)
}

/** When a proposal can be voted on; times are ISO 8601. */
interface VotingPeriod {
  start: string
  /** Null where it cannot be told, or is the start. */
  end: string | null
  /** When this was worked out last: with each round while there is something to be estimated, and no more after the end. */
  revised: string
  status: 'TENTATIVE' | 'CONFIRMED' | 'CANCELLED'
  /** What is to be said of the end. */
  remark: string
}

/** Null for what was canceled before anybody could vote, and where the start cannot be told. */
function votingPeriod(proposal: ProposalInView): VotingPeriod | null {
  const events = timeline(proposal)
  const opened = events.find(({ kind }) => kind === 'VOTING_OPENED')
  const closed = events.find(({ kind }) => kind === 'VOTING_CLOSED')
  const ended = closed ?? events.find(({ kind }) => kind === 'CANCELED')
  const start = opened?.timestamp
  if (!start) return null
  const end = ended?.timestamp ?? null
  const status =
    closed === undefined
      ? 'CANCELLED'
      : end === null || opened.estimated || closed.estimated
        ? 'TENTATIVE'
        : 'CONFIRMED'
  const { createdAt, view } = proposal
  const lastRound = view.chainView.facts.lastRound?.initializedAt.timestamp ?? 0
  const worked = isoTime(Math.max(createdAt.timestamp, lastRound))
  return {
    start,
    end: end !== null && end > start ? end : null,
    revised: end !== null && end < worked ? end : worked,
    status,
    remark:
      status === 'CANCELLED'
        ? 'It was canceled.'
        : end === null
          ? 'When voting ends cannot be told.'
          : status === 'TENTATIVE'
            ? 'When voting ends is estimated.'
            : 'When voting ends is known.',
  }
}

/** What anybody wrote as text that XML, iCalendar and UTF-8 have: without control characters, half characters and the like. */
function plainText(text: string): string {
  return text.replace(/[^\t\n\u0020-\u007E\u00A0-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '\uFFFD')
}
