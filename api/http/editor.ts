import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import express, { type Router } from 'express'

const require = createRequire(import.meta.url)

/** Served from the packages themselves, so that the editor works without a network. */
const ASSETS: Record<string, string> = {
  'react.js': 'react/umd/react.production.min.js',
  'react-dom.js': 'react-dom/umd/react-dom.production.min.js',
  'graphiql.js': 'graphiql/graphiql.min.js',
  'graphiql.css': 'graphiql/graphiql.min.css',
}

/** What a new visitor finds, a tab each; `$round` is filled in with the last initialised round. */
const EXAMPLES: readonly { query: string; variables?: string }[] = [
  {
    query: `# Ctrl-Enter runs a query, Ctrl-Space completes, the book icon has the docs and the limits. Amounts are wei.
# The tabs have a query for each job: this is what a dashboard shows.
query Dashboard {
  status {
    network
    block
    timestamp
    round
    lagBlocks
    stale
  }
  round {
    number
    totalActiveStake
    totalStake
    activeTranscoders {
      account
      votes
      stake
    }
  }
  proposals(first: 5) {
    nodes {
      id
      title
      state
      tally {
        for
        against
        abstain
        quorum
      }
    }
  }
}
`,
  },
  {
    query: `# How each proposal and poll was decided, by which rule, and whose votes counted.
query Audit {
  proposals(first: 10, filter: { state: [SUCCEEDED, DEFEATED, QUEUED, EXECUTED] }) {
    totalCount
    nodes {
      id
      system
      title
      state
      outcome {
        passed
        quorumReached
        supportReached
        explanation
      }
      tally {
        for
        against
        abstain
        electorate
        quorum
      }
      votes(first: 100) {
        nodes {
          voter
          choice
          weight
          countedWeight
          overrides
          castAt {
            block
            transactionHash
          }
        }
        totalCount
      }
    }
  }
}
`,
  },
  {
    query: `# Everybody at the start of a round, most votes first; give endCursor as after for the next page.
query Snapshot($round: Int!, $after: String) {
  stakeSnapshot(round: $round) {
    round
    totalActiveStake
    totalStake
    merkleRoot
    holders(first: 100, after: $after) {
      nodes {
        account
        votes
        stake
        delegate
        isActive
      }
      pageInfo {
        hasNextPage
        endCursor
      }
      totalCount
    }
  }
}
`,
    variables: '{ "round": $round }',
  },
  {
    query: `# The TranscoderDAO's votes, and its voting tokens as they would be dealt at a round. Ethereum L1 only has the votes.
query TranscoderDAO($round: Int!) {
  proposals(first: 10, filter: { system: [ARAGON] }) {
    nodes {
      id
      title
      state
      tally {
        for
        against
        electorate
        quorum
      }
      ... on AragonVote {
        endDate
        supportRequired
        minimumQuorum
        canExecute
      }
      votes(first: 100) {
        nodes {
          voter
          choice
          weight
        }
      }
    }
  }
  tokenAllocation(round: $round) {
    totalStake
    shares {
      transcoder
      stake
      tokens
      percent
    }
  }
}
`,
    variables: '{ "round": $round }',
  },
]

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Livepeer governance</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/editor/graphiql.css">
<style>html, body, #editor { height: 100%; margin: 0 }</style>
</head>
<body>
<div id="editor">Loading the editor…</div>
<script src="/editor/react.js"></script>
<script src="/editor/react-dom.js"></script>
<script src="/editor/graphiql.js"></script>
<script>
const examples = ${JSON.stringify(EXAMPLES)}
// The examples are of use without a round, too.
fetch('/graphql?query=' + encodeURIComponent('{ status { round } }'))
  .then((response) => response.json())
  .then(({ data }) => Math.max(...data.status.map(({ round }) => round ?? 0)))
  .catch(() => 0)
  .then((round) => {
    ReactDOM.createRoot(document.getElementById('editor')).render(
      React.createElement(GraphiQL, {
        fetcher: GraphiQL.createFetcher({ url: '/graphql' }),
        shouldPersistHeaders: false,
        defaultTabs: examples.map(({ query, variables }) => ({
          query,
          variables: variables?.replace('$round', String(round)),
        })),
      }),
    )
  })
</script>
</body>
</html>
`

/** The query editor at / and the files it needs under /editor. */
export function editorRouter(): Router {
  const router = express.Router()
  for (const [name, path] of Object.entries(ASSETS)) {
    const [packageName = '', ...rest] = path.split('/')
    const file = join(dirname(require.resolve(`${packageName}/package.json`)), ...rest)
    router.get(`/editor/${name}`, (_request, response) => {
      response.sendFile(file, { maxAge: '1d' })
    })
  }
  router.get('/', (_request, response) => {
    response.type('html').send(PAGE)
  })
  return router
}
