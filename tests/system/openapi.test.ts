import { createConfig, lintFromString } from '@redocly/openapi-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { exportsRouter } from '../../api/files/exports.ts'
import { DEFAULT_LIMITS } from '../../api/graphql/limits.ts'
import { serveShared } from './shared-chains.ts'

interface Parameter {
  name: string
  in: 'path' | 'query'
  required: boolean
  schema: { enum?: string[]; examples?: unknown[] }
}

interface Operation {
  parameters: { $ref: string }[]
  responses: Record<string, { content?: Record<string, unknown> }>
}

interface Description {
  openapi: string
  paths: Record<string, { get?: Operation }>
  components: { parameters: Record<string, Parameter> }
}

/** The recorded chain that the examples are of. */
let stack: Awaited<ReturnType<typeof serveShared>>
let text: string
let description: Description

beforeAll(async () => {
  stack = await serveShared('livepeer/medium')
  text = await (await fetch(`${stack.url}/openapi.json`)).text()
  description = JSON.parse(text)
})
afterAll(() => stack?.close())

test('is OpenAPI 3.1 by the rules that Redocly recommends', async () => {
  // How the server is, is never refused.
  const config = await createConfig({ extends: ['recommended'], rules: { 'operation-4xx-response': 'off' } })
  const problems = await lintFromString({ source: text, absoluteRef: 'openapi.json', config })
  expect(problems.map(({ ruleId, message, location }) => [ruleId, message, location[0]?.pointer])).toEqual([])
  expect(description.openapi).toBe('3.1.0')
})

test('has every path of the files', () => {
  const routes = exportsRouter(() => {
    throw new Error('nothing is asked')
  }, DEFAULT_LIMITS).stack.flatMap(({ route }) => (route === undefined ? [] : [form(route.path)]))
  const documented = new Set(Object.keys(description.paths).map(form))
  expect(routes.filter((route) => !documented.has(route))).toEqual([])
  expect(routes.length).toBeGreaterThan(10)
})

/** A path with * for what is given: a whole name, whatever it ends with, or an ending. */
function form(path: string): string {
  return path
    .replace(/:\w+|\{\w+\}/g, '*')
    .replace(/\/\*\.[^/]+/g, '/*')
    .replace(/\.json$/, '.*')
}

/** The addresses of a path: all parameters by their first example, then each once by each of its others. */
function addressesOf(path: string, operation: Operation): string[] {
  // Only some formats can be without a header.
  const given = operation.parameters.filter(({ $ref }) => !$ref.endsWith('/header'))
  const parameters = given.map(({ $ref }) => {
    const parameter = description.components.parameters[$ref.replace('#/components/parameters/', '')]
    if (parameter === undefined) throw new Error(`${$ref} is not there`)
    const { name, schema } = parameter
    const examples = (schema.examples ?? schema.enum ?? []).map(String)
    if (examples.length === 0) throw new Error(`${name} has no example`)
    return { ...parameter, examples }
  })
  const first = Object.fromEntries(parameters.map(({ name, examples }) => [name, examples[0] ?? '']))
  const others = parameters.flatMap(({ name, examples }) =>
    examples.slice(1).map((value) => ({ ...first, [name]: value })),
  )
  return [first, ...others].map((values) => {
    const address = new URL(
      path.replace(/\{(\w+)\}/g, (_, name: string) => values[name] ?? ''),
      stack.url,
    )
    for (const { name, in: place } of parameters)
      if (place === 'query') address.searchParams.set(name, values[name] ?? '')
    return String(address)
  })
}

describe('every path', () => {
  test('answers its examples as it says', async () => {
    const asked: [address: string, status: number, isDocumented: boolean][] = []
    for (const [path, { get }] of Object.entries(description.paths)) {
      if (get === undefined) continue
      const seen = new Set<string>()
      for (const address of addressesOf(path, get)) {
        const response = await fetch(address)
        await response.arrayBuffer()
        const type = response.headers.get('content-type')?.split(';')[0] ?? ''
        seen.add(type)
        asked.push([address, response.status, type in (get.responses['200']?.content ?? {})])
      }
      // Each format of a table is another type.
      if (path.endsWith('.{format}'))
        expect([...seen].sort()).toEqual(Object.keys(get.responses['200']?.content ?? {}).sort())
    }
    expect(asked.filter(([, status, isDocumented]) => status !== 200 || !isDocumented)).toEqual([])
    expect(asked.length).toBeGreaterThan(35)
  })

  test('refuses as it says', async () => {
    const refused = []
    for (const [path, { get }] of Object.entries(description.paths)) {
      if (get?.responses['400'] === undefined || path === '/graphql') continue
      for (const address of addressesOf(path, get).slice(0, 1)) {
        const unknown = new URL(address)
        unknown.searchParams.set('unknown', '1')
        const response = await fetch(unknown)
        refused.push([path, response.status, await response.json()])
      }
    }
    expect(refused).toEqual(
      refused.map(([path]) => [path, 400, { error: { code: 'BAD_USER_INPUT', message: expect.anything() } }]),
    )
    expect(refused.length).toBeGreaterThan(10)
  })
})
