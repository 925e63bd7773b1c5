/** A vote whose weight is told: of polls on Ethereum L1 it is where an archive node tells what delegators had. */
export type Weighed<Vote> = Vote & { weight: string; countedWeight: string }

/** Whether a vote's weight is told. */
export function isWeighed<Vote extends { weight: string | null; countedWeight: string | null }>(
  vote: Vote,
): vote is Weighed<Vote> {
  return vote.weight !== null && vote.countedWeight !== null
}

/** All votes with their weights; undefined where one has none that can be told, so that nothing is summed up without it. */
export function allWeighed<Vote extends { weight: string | null; countedWeight: string | null }>(
  votes: readonly Vote[],
): readonly Weighed<Vote>[] | undefined {
  const weighed = votes.filter(isWeighed)
  return weighed.length === votes.length ? weighed : undefined
}
