import { signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { ask } from '../ask.ts'
import { RoundNumbersDocument } from '../generated/round-slider.ts'

/** Initialised rounds of the chains asked for, ascending; undefined until all are at hand. */
const known = signal<Readonly<Record<string, readonly number[]>>>({})
const underWay = new Set<string>()

/** The rounds that somebody initialised, of the chain named or of all; undefined until they are known. */
export function useKnownRounds(network: string | undefined): readonly number[] | undefined {
  const key = network ?? ''
  useEffect(() => {
    if (known.value[key] !== undefined || underWay.has(key)) return
    underWay.add(key)
    void load(network).then((rounds) => {
      underWay.delete(key)
      if (rounds !== undefined) known.value = { ...known.value, [key]: rounds }
    })
  }, [key])
  return known.value[key]
}

async function load(network: string | undefined): Promise<readonly number[] | undefined> {
  const rounds: number[] = []
  let after: string | null = null
  do {
    const variables: { network?: string; after?: string } = {
      ...(network === undefined ? {} : { network }),
      ...(after === null ? {} : { after }),
    }
    const { data } = await ask(RoundNumbersDocument, variables)
    if (data === null) return undefined
    rounds.push(...data.rounds.nodes.map(({ number }) => number))
    after = data.rounds.pageInfo.hasNextPage ? data.rounds.pageInfo.endCursor : null
  } while (after !== null)
  return rounds
}
