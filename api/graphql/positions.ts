import type { LogPosition } from '../rules/log.ts'
import type { Position } from './generated/resolvers.ts'

/** A place on the chain as the API shows it; a round of 0 means that none was initialised yet. */
export function position({ block, logIndex, timestamp, transactionHash, round }: LogPosition): Position {
  return { block: BigInt(block), logIndex, timestamp: isoTime(timestamp), transactionHash, round: round || null }
}

/** Unix seconds as ISO 8601. */
export function isoTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString()
}
