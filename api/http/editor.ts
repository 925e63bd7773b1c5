import { readFileSync } from 'node:fs'
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

const QUERIES = readFileSync(new URL('../../examples/editor.graphql', import.meta.url), 'utf8')

/** What a new visitor finds, a tab each; `$round` is filled in with the last initialised round. */
const EXAMPLES = QUERIES.split(/\n\n/).map((query) =>
  query.includes('$round') ? { query, variables: '{ "round": $round }' } : { query },
)

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Editor · Livepeer governance</title>
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
const given = new URLSearchParams(location.search)
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
        ...(given.has('query') && { query: given.get('query'), variables: given.get('variables') ?? '' }),
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

/** The query editor at /editor, with a query of the address filled in, and the files it needs below. */
export function editorRouter(): Router {
  const router = express.Router()
  for (const [name, path] of Object.entries(ASSETS)) {
    const [packageName = '', ...rest] = path.split('/')
    const file = join(dirname(require.resolve(`${packageName}/package.json`)), ...rest)
    router.get(`/editor/${name}`, (_request, response) => {
      response.sendFile(file, { maxAge: '1d' })
    })
  }
  router.get('/editor', (_request, response) => {
    response.type('html').send(PAGE)
  })
  return router
}
