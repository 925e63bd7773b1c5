/** Why something could not be compared. */
export type UncheckedReason =
  /** There are no such contracts where they were looked for. */
  | 'NO_CONTRACT'
  /** The node has no state of the block: it is no archive, or has not seen the block yet. */
  | 'NO_STATE'
  /** The node does not answer, is asked too much, or answers what cannot be read. */
  | 'NO_ANSWER'
  /** The node is of another chain, or branch. */
  | 'OTHER_CHAIN'
  /** The API does not tell the figure: it is not exact, or its index does not answer. */
  | 'NO_FIGURE'

/** There is nothing to compare with: no contracts, not the right ones, or nothing that both sides tell. */
export class NothingToCompare extends Error {}

/** The contracts were to be asked and do not answer, or the one or the other side not with what was asked for. */
export class NoAnswer extends Error {
  constructor(
    message: string,
    readonly reason: UncheckedReason = 'NO_ANSWER',
  ) {
    super(message)
  }
}

/** A whole number that the API or an RPC told, decimal or hex; NoAnswer where it is none. */
export function wholeNumber(told: unknown, what: string): bigint {
  const isNumber = typeof told === 'bigint' || (typeof told === 'number' && Number.isSafeInteger(told))
  if (isNumber || (typeof told === 'string' && /^(\d{1,100}|0x[\da-f]{1,64})$/i.test(told))) return BigInt(told)
  throw new NoAnswer(`${what} is told to be ${JSON.stringify(told)?.slice(0, 100)}, which is no whole number`)
}

/** The first line of what went wrong. */
export function messageOf(error: unknown): string {
  const [line = ''] = (error instanceof Error ? error.message : String(error)).split('\n')
  return line
}
