/** A change of what an account had, from a round on, as far as its delegate goes. */
export interface Held {
  round: number
  delegate: string | null
}

/** From a round on, to another delegate; null where it has none any more. */
export interface Move {
  round: number
  from: string | null
  to: string | null
}

/** Each change of delegate, the first one included; the history ascends. */
export function movesOf(history: readonly Held[]): Move[] {
  let from: string | null = null
  const moves: Move[] = []
  for (const { round, delegate } of history) {
    if (delegate !== from) moves.push({ round, from, to: delegate })
    from = delegate
  }
  return moves
}

/** What holds at a round: the last change by then; undefined before the first. The history ascends. */
export function heldAt<Change extends { round: number }>(
  history: readonly Change[],
  round: number,
): Change | undefined {
  return history.findLast((change) => change.round <= round)
}
