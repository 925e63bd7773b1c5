import { useEffect, useState } from 'preact/hooks'
import { useLocation } from 'preact-iso'
import { type Answer, ask } from '../ask.ts'
import { ProposalBallotsDocument, type ProposalBallotsQuery } from '../generated/proposal-ballots.ts'
import { Address, Amount, When } from '../parts/figures.tsx'
import { Skeleton, Trouble } from '../parts/panel.tsx'
import { placeWith } from '../parts/place.ts'
import { choiceName, unitOf } from '../parts/proposals.tsx'
import { isWeighed } from '../weights.ts'
import type { ToldProposal } from './counting.ts'
import { Moment } from './result.tsx'

type Ballots = NonNullable<ProposalBallotsQuery['account']['ballots']>
type Ballot = Ballots['nodes'][number]
type Found = { account: string; ballot: Ballot | null; isUncounted: boolean; failed: Answer<unknown> | undefined }

const ADDRESS = /^0x[0-9a-f]{40}$/

/** How an account was counted on this proposal: its own vote, its transcoder's, or none. */
export function MyStake({ proposal }: { proposal: ToldProposal }) {
  const { path, query, route } = useLocation()
  const text = query.account ?? ''
  const account = text.trim().toLowerCase()
  const isAddress = ADDRESS.test(account)
  const found = useBallot(proposal.id, isAddress ? account : undefined)
  return (
    <>
      <label class="field">
        Address
        <input
          type="text"
          value={text}
          placeholder="0x…"
          spellcheck={false}
          autocomplete="off"
          onInput={(event) => route(placeWith(path, query, { account: event.currentTarget.value.trim() }), true)}
        />
      </label>
      <div class="answer" role="status">
        {text === '' && (
          <p class="note">
            {proposal.system === 'ARAGON'
              ? 'Any holder of the voting token.'
              : 'Any delegator or transcoder: who did not vote is spoken for by its transcoder.'}
          </p>
        )}
        {text !== '' && !isAddress && <p class="note">An address is 0x and 40 hex digits.</p>}
        {isAddress && found?.account !== account && <Skeleton rows={2} />}
        {found !== undefined && found.account === account && <Told found={found} proposal={proposal} />}
      </div>
    </>
  )
}

function Told({ found: { account, ballot, isUncounted, failed }, proposal }: { found: Found; proposal: ToldProposal }) {
  const { system } = proposal
  const unit = unitOf(system)
  const [problem] = failed?.problems ?? []
  if (problem !== undefined) return <Trouble problem={problem} />
  if (isUncounted) return <p>What it could have voted with is not known exactly.</p>
  if (ballot === null) {
    return (
      <p>
        <Address of={account} /> had no power in this, and did not vote: <Moment proposal={proposal} />.
      </p>
    )
  }
  const { power, vote, representedBy } = ballot
  if (vote !== null && !isWeighed(vote)) {
    return (
      <p>
        <b>It voted itself: {choiceName(vote.choice, system)}.</b> What that weighs is not known exactly.
      </p>
    )
  }
  if (vote !== null) {
    const taken = BigInt(vote.weight) - BigInt(vote.countedWeight)
    return (
      <>
        <p>
          <b>It voted itself: {choiceName(vote.choice, system)}.</b> <Amount wei={vote.countedWeight} unit={unit} />{' '}
          {taken > 0n && (
            <>
              of its <Amount wei={vote.weight} unit={unit} />{' '}
            </>
          )}
          counted for that.
        </p>
        {taken > 0n && (
          <p>
            <Amount wei={taken} unit={unit} /> was taken off by delegators of its own that voted themselves.
          </p>
        )}
        {vote.overrides !== null && (
          <p>
            It was taken off the weight of its transcoder <Address of={vote.overrides} />, where that one voted.
          </p>
        )}
        <p class="unit">
          Cast <When at={vote.castAt.timestamp} round={vote.castAt.round} />
        </p>
      </>
    )
  }
  if (representedBy !== null) {
    return (
      <p>
        <b>It did not vote; its transcoder did: {choiceName(representedBy.choice, system)}.</b>{' '}
        <Amount wei={power} unit={unit} /> of its own counted there, with <Address of={representedBy.voter} />.
      </p>
    )
  }
  return (
    <p>
      <b>Not at all.</b> It had <Amount wei={power} unit={unit} />, did not vote, and nobody voted for it.
    </p>
  )
}

/** Its ballot, looked for through the pages of all of them. */
function useBallot(id: string, account: string | undefined): Found | undefined {
  const [found, setFound] = useState<Found | undefined>(undefined)
  useEffect(() => {
    if (account === undefined) return
    let over = false
    const look = async () => {
      let after: string | null = null
      for (;;) {
        const answer: Answer<ProposalBallotsQuery> = await ask(ProposalBallotsDocument, {
          account,
          ...(after === null ? {} : { after }),
        })
        if (over) return
        const ballots: Ballots | null | undefined = answer.data?.account.ballots
        if (!ballots) return setFound({ account, ballot: null, isUncounted: false, failed: answer })
        const ballot = ballots.nodes.find(({ proposal }) => proposal.id === id)
        const { hasNextPage, endCursor } = ballots.pageInfo
        if (ballot !== undefined || !hasNextPage) {
          return setFound({
            account,
            ballot: ballot ?? null,
            isUncounted: ballots.uncounted.includes(id),
            failed: undefined,
          })
        }
        after = endCursor
      }
    }
    void look()
    return () => {
      over = true
    }
  }, [id, account])
  return found
}
