import type { Compared } from '../verification/comparison.ts'
import type { UncheckedReason } from '../verification/errors.ts'

/** Why nothing of a chain is compared. */
export type VerificationOff = 'TURNED_OFF' | 'NO_RPC' | 'NO_CONTRACTS'

/** What is compared: everybody's votes at the start of a round, or a proposal that is over; one of them is null. */
export interface VerifiedSubject {
  round: number | null
  /** Its id among those of all chains. */
  proposal: string | null
}

/** A value that the contracts tell otherwise. */
export interface VerifiedDifference extends VerifiedSubject, Compared {
  /** The block that the API answered as of. */
  block: number
}

/** What could not be compared. */
export interface UncheckedPart extends VerifiedSubject {
  what: string
  reason: UncheckedReason
}

/** What comparing one subject came to. */
export interface VerificationResult {
  /** Values compared. */
  compared: number
  differences: readonly VerifiedDifference[]
  unchecked: readonly UncheckedPart[]
}

/** What comparing one chain's answers with its contracts has shown since the server began. */
export class VerificationRecord {
  /** How many rounds and closed proposals are yet to be compared. */
  pending = 0
  /** Values compared in all, those compared anew too. */
  valuesEver = 0
  #revision = 0
  readonly #results = new Map<string, VerificationResult & { subject: VerifiedSubject }>()

  /** `off` tells why nothing is compared; null where it is. */
  constructor(readonly off: VerificationOff | null) {}

  /** Takes what comparing a subject came to, in place of what it came to before. */
  take(subject: VerifiedSubject, result: VerificationResult): void {
    const differedBefore = this.differencesOf(subject).length > 0
    this.valuesEver += result.compared
    this.#results.set(nameOf(subject), { ...result, subject })
    if (differedBefore || result.differences.length > 0) this.#revision += 1
  }

  /** What is known of a subject that is not there any more, as after a reorganisation, holds no longer. */
  forget(subject: VerifiedSubject): void {
    if (this.differencesOf(subject).length > 0) this.#revision += 1
    this.#results.delete(nameOf(subject))
  }

  /** Another one whenever what differs may be something else: what was answered before may want a warning since, or no more. */
  get revision(): number {
    return this.#revision
  }

  /** The last round of which votes were compared; null where none was. */
  get lastRound(): number | null {
    return this.#compared.reduce<number | null>((last, { subject: { round } }) => {
      return round === null ? last : Math.max(round, last ?? round)
    }, null)
  }

  /** How many rounds were compared. */
  get rounds(): number {
    return this.#compared.filter(({ subject }) => subject.round !== null).length
  }

  /** How many proposals were. */
  get proposals(): number {
    return this.#compared.filter(({ subject }) => subject.proposal !== null).length
  }

  /** Values compared, each once. */
  get comparedValues(): number {
    return this.#all.reduce((sum, { compared }) => sum + compared, 0)
  }

  /** Everything that differs. */
  get differences(): VerifiedDifference[] {
    return this.#all.flatMap(({ differences }) => differences)
  }

  /** Everything that could not be compared. */
  get unchecked(): UncheckedPart[] {
    return this.#all.flatMap(({ unchecked }) => unchecked)
  }

  /** What differs of a subject. */
  differencesOf(subject: VerifiedSubject): readonly VerifiedDifference[] {
    return this.#results.get(nameOf(subject))?.differences ?? []
  }

  /** Rounds first, then proposals, the latest first: as they are compared. */
  get #all() {
    return [...this.#results.values()].sort((a, b) => (b.subject.round ?? -1) - (a.subject.round ?? -1))
  }

  get #compared() {
    return this.#all.filter(({ compared }) => compared > 0)
  }
}

function nameOf({ round, proposal }: VerifiedSubject): string {
  return `${round} ${proposal}`
}
