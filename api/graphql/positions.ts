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

/** The same of a time that anybody may have set; null beyond the year 9999, which ISO 8601 does not tell. */
export function isoTimeOfAnybody(seconds: number): string | null {
  return seconds <= END_OF_9999 ? isoTime(seconds) : null
}

const END_OF_9999 = 253_402_300_799
