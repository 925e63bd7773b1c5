/** How far each chain's index was behind its head while this page, or the tab it is in, was open. */

/** What one answer said. */
export interface LagSample {
  /** When it came, by this browser's clock; ms. */
  at: number
  /** Blocks behind by chain; null where it is not known. */
  lag: ReadonlyMap<string, bigint | null>
}

/** An hour at one sample in five seconds. */
const KEPT = 720

/** The samples with one more, none of them twice; only the latest are kept. */
export function withSample(samples: readonly LagSample[], next: LagSample): readonly LagSample[] {
  if (samples.at(-1)?.at === next.at) return samples
  return [...samples, next].slice(-KEPT)
}

/** The lag of one chain where it was known, as points to draw: ms, and blocks. */
export function lagPoints(samples: readonly LagSample[], network: string): { x: number; y: number }[] {
  return samples.flatMap(({ at, lag }) => {
    const blocks = lag.get(network)
    return blocks === null || blocks === undefined ? [] : [{ x: at, y: Number(blocks) }]
  })
}
