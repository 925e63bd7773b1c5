import type { LogPosition } from '../rules/log.ts'
import type { Position } from './generated/resolvers.ts'

/** A place on the chain as the API shows it; a round of 0 means that none was initialised yet. */
export function position({ block, logIndex, timestamp, transactionHash, round }: LogPosition): Position {
  return { block: BigInt(block), logIndex, timestamp: isoTime(timestamp), transactionHash, round: round || null }
}

/** A block's Unix seconds as ISO 8601, which tells no year beyond 9999: a chain that says so is at its end. */
export function isoTime(seconds: number): string {
  return new Date(Math.min(Math.max(seconds, 0), END_OF_9999) * 1000).toISOString()
}

/** The same of a time that anybody may have set, or that was estimated; null where ISO 8601, or Unix, has none. */
export function isoTimeOfAnybody(seconds: number): string | null {
  return 0 <= seconds && seconds <= END_OF_9999 ? isoTime(seconds) : null
}

const END_OF_9999 = 253_402_300_799
