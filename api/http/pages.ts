import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { ApolloServer } from '@apollo/server'
import express, { type ErrorRequestHandler, type Request, type Router } from 'express'
import type { Context } from '../graphql/context.ts'

/** What a page asks first: a GraphQL document and its variables. */
interface Question {
  document: { toString(): string }
  variables: object
}

interface Place {
  params: Readonly<Record<string, string>>
  query: Readonly<Record<string, string>>
}

/** A page as its server has to know it. */
export interface ServedPage {
  path: string
  name: string
  about: string
  ask: (place: Place) => Question | null
  title?: (place: Place, data: unknown) => string | undefined
  files: (place: Place) => readonly { href: string; name: string }[]
}

/** The answer to a question, as the page takes it. */
interface Answered {
  key: string
  body: object
  data: unknown
}

const FOLDER = fileURLToPath(new URL('../../build/web', import.meta.url))

/** A page is sent without its figures, which it then asks for itself, when they take longer. */
const PATIENCE_MS = 400
/** Answers larger than this come by themselves: a page is to be small. */
const INLINED_BYTES = 200_000
/** Linked from every page without script. */
const EVERYWHERE = [
  { href: '/proposals.csv', name: 'all proposals' },
  { href: '/openapi.json', name: 'every path, described' },
]

/** Proposals' texts are anybody's: nothing runs, loads or is sent but what is the API's own. */
function contentPolicy(path: string): string {
  // Only there a reader's own node is asked, which may be anywhere.
  const connect = path === '/verify' ? "'self' https: http://127.0.0.1:* http://localhost:*" : "'self'"
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    `connect-src ${connect}`,
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'self'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ')
}

/**
 * The explorer's pages, for whoever accepts HTML at a path without an ending, and its scripts and styles below /assets.
 * The figures of the first view are in the page. Where it was not built, a page says so.
 */
export function pagesRouter(server: {
  apollo: ApolloServer<Context>
  newContext: () => Context
  pages: readonly ServedPage[]
  /** Asked for every page beside its own. */
  frame: Question
}): Router {
  const router = express.Router()
  router.use('/assets', express.static(`${FOLDER}/assets`, { immutable: true, maxAge: '1y', index: false }))
  const template = existsSync(`${FOLDER}/index.html`) ? readFileSync(`${FOLDER}/index.html`, 'utf8') : NOT_BUILT

  const answer = async ({ document, variables }: Question): Promise<Answered | undefined> => {
    const query = String(document)
    const { body } = await server.apollo.executeOperation(
      { query, variables: variables as Record<string, unknown> },
      { contextValue: server.newContext() },
    )
    if (body.kind !== 'single') return undefined
    const name = /\bquery\s+(\w+)/.exec(query)?.[1]
    return { key: `${name} ${JSON.stringify(variables)}`, body: body.singleResult, data: plain(body.singleResult.data) }
  }

  for (const page of server.pages) {
    router.get(page.path, async (request, response, next) => {
      // What has an ending is a file, whoever asks for it: a cache need not keep one for each.
      if (/\.[a-z]+$/i.test(request.path)) return next('router')
      response.vary('Accept')
      if (request.accepts(['json', 'html']) !== 'html') return next('router')
      const place = placeOf(request)
      const question = page.ask(place)
      const [frame, own] = await Promise.all([
        inTime(answer(server.frame)),
        question === null ? undefined : inTime(answer(question)),
      ])
      const title = (own && page.title?.(place, own.data)) ?? page.name
      response
        .set({
          'Cache-Control': 'no-cache',
          'Content-Security-Policy': contentPolicy(page.path),
          'X-Content-Type-Options': 'nosniff',
          'Referrer-Policy': 'no-referrer',
        })
        .type('html')
        .send(filled(template, page, place, title, [frame, own]))
    })
  }
  // A path that cannot be read is no page; whoever serves files says what is wrong with it.
  router.use(((error: { status?: number }, _request, _response, next) =>
    next(error.status === 400 ? undefined : error)) satisfies ErrorRequestHandler)
  return router
}

/** Data of an answer that was kept comes as its text. */
function plain(data: unknown): unknown {
  const { toJSON } = (data ?? {}) as { toJSON?: () => unknown }
  return typeof toJSON === 'function' ? toJSON() : data
}

function placeOf(request: Request): Place {
  const query = Object.entries(request.query).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
  const params = Object.entries(request.params).map(([name, value]) => [name, String(value)])
  return { params: Object.fromEntries(params), query: Object.fromEntries(query) }
}

/** What was asked, where it is there soon. An answer that fails as a whole is for the page to ask for and tell of. */
async function inTime(asked: Promise<Answered | undefined>): Promise<Answered | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), PATIENCE_MS)
  })
  try {
    return await Promise.race([asked.catch(() => undefined), late])
  } finally {
    clearTimeout(timer)
  }
}

function filled(
  template: string,
  page: ServedPage,
  place: Place,
  title: string,
  answers: readonly (Answered | undefined)[],
): string {
  const name =
    title === page.name && page.path === '/'
      ? title
      : `${title.replace(/ · Livepeer governance$/, '')} · Livepeer governance`
  const head = [
    `<title>${escaped(name)}</title>`,
    `<meta name="description" content="${escaped(page.about)}">`,
    `<meta property="og:title" content="${escaped(name)}">`,
    `<meta property="og:description" content="${escaped(page.about)}">`,
    '<meta property="og:type" content="website">',
  ].join('\n    ')
  const files = page.files(place)
  const links = [...files, ...EVERYWHERE.filter(({ href }) => files.every((file) => file.href !== href))].map(
    ({ href, name: file }) => `<li><a href="${escaped(href)}">${escaped(file)}</a></li>`,
  )
  const withoutScript = `<noscript><main><h1>${escaped(title)}</h1><p>${escaped(page.about)}</p><p>This page is drawn by a script, which this browser does not run. What it shows can be had without:</p><ul>${links.join('')}</ul></main></noscript>`
  const inlined = answers.flatMap((answer) => {
    if (answer === undefined) return []
    const text = JSON.stringify({ key: answer.key, body: answer.body })
    return text.length > INLINED_BYTES ? [] : [text]
  })
  // Nothing in a text can end the element: not even a comment or a script can begin in it.
  const data = `[${inlined.join(',')}]`.replaceAll('<', '\\u003c')
  const parts: Readonly<Record<string, string>> = {
    '<!--page-->': head,
    '<!--without-script-->': withoutScript,
    '<!--first-view-->': `<script type="application/json" id="first-view">${data}</script>`,
  }
  return template.replace(/<!--(?:page|without-script|first-view)-->/g, (mark) => parts[mark] ?? '')
}

function escaped(text: string): string {
  const names: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  }
  return text.replace(/[&<>"']/g, (character) => names[character] ?? '')
}

const NOT_BUILT = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<!--page-->
</head>
<body>
<h1>The explorer is not built</h1>
<p><code>npm run build:web</code> builds it; then start the API anew. <a href="/editor">The query editor</a> and <a href="/openapi.json">all files</a> are there without.</p>
<!--without-script-->
<!--first-view-->
</body>
</html>
`
