/** There is nothing to compare with: no contracts, not the right ones, or nothing that both sides tell. */
export class NothingToCompare extends Error {}

/** The contracts were to be asked and do not answer. */
export class NoAnswer extends Error {}

/** The first line of what went wrong. */
export function messageOf(error: unknown): string {
  const [line = ''] = (error instanceof Error ? error.message : String(error)).split('\n')
  return line
}
