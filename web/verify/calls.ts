/** What a verification asks a node for, told before it is done. */

/** What is to be verified. */
export type Subject = { kind: 'ROUND' } | { kind: 'PROPOSAL'; id: string }

/** Calls to one contract. */
export interface CallsTo {
  contract: string
  /** Functions, with whom they are asked about where it is more than once. */
  functions: readonly string[]
}

const CHAIN: CallsTo = {
  contract: 'the node itself',
  functions: [
    'eth_getCode: whether the contract is there',
    'eth_getBlockByNumber: whether it is the same chain, by its hash',
  ],
}

/** The calls for a subject, in the order they are made. Of a proposal by the system that its id names. */
export function callsFor(subject: Subject): readonly CallsTo[] {
  if (subject.kind === 'ROUND') return [CHAIN, ...ROUND]
  const [system = ''] = subject.id.split(':')
  return [CHAIN, ...(PROPOSAL[system] ?? [])]
}

const ROUND: readonly CallsTo[] = [
  {
    contract: 'BondingVotes',
    functions: [
      'getTotalActiveStakeAt(round)',
      'getVotesAndDelegateAtRoundStart(account, round), each holder asked about',
    ],
  },
  {
    contract: 'BondingManager, as of the block the round began in, where the node still has its state',
    functions: [
      ...['pendingStake', 'transcoderTotalStake', 'isRegisteredTranscoder', 'isActiveTranscoder', 'getDelegator'].map(
        (name) => `${name}(account${name === 'pendingStake' ? ', 0' : ''}), each holder asked about`,
      ),
      'eth_getLogs of that block: whether anything changed in it after the round began',
    ],
  },
]

const PROPOSAL: Readonly<Record<string, readonly CallsTo[]>> = {
  treasury: [
    {
      contract: 'LivepeerGovernor',
      functions: [
        ...['state', 'proposalVotes', 'proposalSnapshot', 'proposalDeadline'].map((name) => `${name}(proposalId)`),
        ...['quorum(snapshot)', 'hasVoted(proposalId, voter), each voter'],
      ],
    },
    {
      contract: 'BondingVotes',
      functions: ['getVotesAndDelegateAtRoundStart(voter, snapshot + 1), each voter'],
    },
  ],
  poll: [
    {
      contract: 'BondingManager, as of the poll’s end block: only a node with old state has that',
      functions: [
        ...[
          'isRegisteredTranscoder(voter)',
          'transcoderTotalStake(voter)',
          'pendingStake(voter, 0)',
          'getDelegator(voter)',
        ],
      ].map((name) => `${name}, each voter`),
    },
  ],
  aragon: [
    {
      contract: 'Voting',
      functions: ['getVote(voteId)', 'canExecute(voteId)', 'token()', 'getVoterState(voteId, voter), each voter'],
    },
    { contract: 'the voting token', functions: ['balanceOfAt(voter, snapshotBlock), each voter'] },
  ],
}

/** What this page may ask: anything over https, and over http what is on the reader's own machine. A sentence where not. */
export function whyNotAsked(url: string): string | undefined {
  if (!URL.canParse(url)) return 'This is no address: it begins with https://'
  const { protocol, hostname } = new URL(url)
  if (protocol === 'https:') return undefined
  if (protocol !== 'http:') return 'Only https can be asked from here, and http on your own machine'
  const isOwn = hostname === '127.0.0.1' || hostname === 'localhost'
  return isOwn ? undefined : 'Over http only a node on your own machine can be asked: 127.0.0.1 or localhost'
}
