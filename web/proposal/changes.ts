// What is to be otherwise in a hypothetical count, as an address has it: by the names of the API's recount and of its file.

import type { VoteChoice } from '../../api/rules/proposal.ts'
import { hasChoice } from '../../api/rules/proposal-count.ts'
import type { Changes } from '../../api/rules/recount.ts'
import type { VotingSystem } from '../generated/proposal.ts'

type Query = Readonly<Record<string, string>>

/** Nothing otherwise. */
export const NOTHING: Changes = {
  round: null,
  quorum: null,
  support: null,
  strict: null,
  overrides: null,
  ofActiveStake: null,
  without: [],
  choices: [],
}

/** Parameters of the address that say what is otherwise. */
const NAMES = [
  'round',
  'quorumPartsPerMillion',
  'supportPartsPerMillion',
  'strict',
  'overrides',
  'ofActiveStake',
  'without',
  'choices',
] as const

const ADDRESS = /^0x[0-9a-f]{40}$/
const CHOICES: readonly VoteChoice[] = ['FOR', 'AGAINST', 'ABSTAIN']
const MILLION = 1_000_000
/** As many voters as the API takes in one list. */
const MOST_VOTERS = 1_000

/** What an address says is otherwise; what it says wrong, or of what the system does not have, is left out. */
export function changesOf(query: Query, system: VotingSystem): Changes {
  const seen = new Set<string>()
  const isNew = (voter: string) => ADDRESS.test(voter) && !seen.has(voter) && seen.add(voter) !== undefined
  const without = (query.without ?? '').toLowerCase().split(',').filter(isNew).slice(0, MOST_VOTERS)
  const choices = (query.choices ?? '')
    .split(',')
    .flatMap((part) => {
      const [voter = '', name = ''] = part.toLowerCase().split('=')
      const choice = CHOICES.find((known) => known === name.toUpperCase())
      return choice !== undefined && hasChoice(system, choice) && isNew(voter) ? [{ voter, choice }] : []
    })
    .slice(0, MOST_VOTERS)
  return {
    round: system === 'ARAGON' ? null : wholeNumber(query.round, 2_147_483_647),
    quorum: wholeNumber(query.quorumPartsPerMillion, MILLION),
    support: wholeNumber(query.supportPartsPerMillion, MILLION),
    strict: truth(query.strict),
    overrides: system === 'ARAGON' ? null : truth(query.overrides),
    ofActiveStake: system === 'POLL' ? truth(query.ofActiveStake) : null,
    without,
    choices,
  }
}

function wholeNumber(text: string | undefined, most: number): number | null {
  if (text === undefined || !/^\d{1,10}$/.test(text)) return null
  const value = Number(text)
  return value <= most ? value : null
}

function truth(text: string | undefined): boolean | null {
  return text === 'true' ? true : text === 'false' ? false : null
}

/** The parameters that say so, blank where nothing is otherwise: what `changesOf` reads back. */
export function queryOf(changes: Changes): Record<(typeof NAMES)[number], string> {
  const { round, quorum, support, strict, overrides, ofActiveStake, without, choices } = changes
  return {
    round: String(round ?? ''),
    quorumPartsPerMillion: String(quorum ?? ''),
    supportPartsPerMillion: String(support ?? ''),
    strict: String(strict ?? ''),
    overrides: String(overrides ?? ''),
    ofActiveStake: String(ofActiveStake ?? ''),
    without: without.join(','),
    choices: choices.map(({ voter, choice }) => `${voter}=${choice}`).join(','),
  }
}

/** Whether anything is otherwise. */
export function isAnything(changes: Changes): boolean {
  return Object.values(queryOf(changes)).some((text) => text !== '')
}

/** The same for the API's recount. */
export function recountInput(changes: Changes) {
  const { round, quorum, support, strict, overrides, ofActiveStake, without, choices } = changes
  return {
    ...(round === null ? {} : { round }),
    ...(quorum === null ? {} : { quorumPartsPerMillion: quorum }),
    ...(support === null ? {} : { supportPartsPerMillion: support }),
    ...(strict === null ? {} : { strict }),
    ...(overrides === null ? {} : { overrides }),
    ...(ofActiveStake === null ? {} : { ofActiveStake }),
    ...(without.length === 0 ? {} : { without: [...without] }),
    ...(choices.length === 0 ? {} : { choices: [...choices] }),
  }
}

/** The file of the same count. */
export function recountFile(id: string, changes: Changes, ending: 'csv' | 'json'): string {
  const given = Object.entries(queryOf(changes)).filter(([, value]) => value !== '')
  const search = new URLSearchParams(given).toString()
  return `/proposals/${id}/recount.${ending}${search === '' ? '' : `?${search}`}`
}

/** One voter taken to have chosen so, to have stayed away, or as it was. */
export function withChoice(changes: Changes, voter: string, choice: VoteChoice | 'NONE' | 'AS_IT_WAS'): Changes {
  const without = changes.without.filter((other) => other !== voter)
  const choices = changes.choices.filter((other) => other.voter !== voter)
  return {
    ...changes,
    without: choice === 'NONE' ? [...without, voter] : without,
    choices: choice === 'NONE' || choice === 'AS_IT_WAS' ? choices : [...choices, { voter, choice }],
  }
}

/** Parts per million of a percentage as somebody types it: '33.33' is 333,300. Null for what is none. */
export function partsOfPercent(text: string): number | null {
  const match = /^(\d{1,3})(?:[.,](\d{0,4}))?$/.exec(text.trim())
  if (match === null) return null
  const parts = Number(match[1]) * 10_000 + Number((match[2] ?? '').padEnd(4, '0'))
  return parts <= MILLION ? parts : null
}

/** A percentage of parts per million: 333,300 is '33.33'. */
export function percentOfParts(parts: number): string {
  const text = String(parts).padStart(5, '0')
  return `${text.slice(0, -4)}.${text.slice(-4)}`.replace(/\.?0+$/, '')
}
