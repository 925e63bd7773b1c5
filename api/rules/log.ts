/** A place on the chain; the round is the last one initialised then, 0 for none. */
export interface LogPosition {
  block: number
  logIndex: number
  /** Unix seconds. */
  timestamp: number
  transactionHash: string
  round: number
}

/** Orders logs as they stand on the chain. */
export function byPlace(
  a: Pick<LogPosition, 'block' | 'logIndex'>,
  b: Pick<LogPosition, 'block' | 'logIndex'>,
): number {
  return a.block - b.block || a.logIndex - b.logIndex
}
