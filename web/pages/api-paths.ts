/** What /openapi.json says can be had, as the page lists it: what is not described there is not on the page. */

/** A part of a path, or of what comes behind its question mark. */
export interface Parameter {
  name: string
  place: 'path' | 'query'
  about: string
  /** All values there are; empty where any of a kind is taken. */
  values: readonly string[]
  /** What it is where it is left out; undefined where nothing is. */
  usual: string | undefined
  example: string
}

/** A file, a feed or another address. */
export interface ApiPath {
  /** POST only where it cannot be got. */
  method: 'GET' | 'POST'
  /** With its parameters in braces. */
  path: string
  tag: string
  about: string
  parameters: readonly Parameter[]
  /** Content types of what it answers. */
  types: readonly string[]
}

/** What of the description is read; all of it may be missing. */
interface Described {
  paths?: Readonly<Record<string, { get?: Operation; post?: Operation }>>
  components?: { parameters?: Readonly<Record<string, Told>> }
}

interface Operation {
  summary?: string
  tags?: readonly string[]
  parameters?: readonly (Told & { $ref?: string })[]
  responses?: Readonly<Record<string, { content?: Readonly<Record<string, unknown>> }>>
}

interface Told {
  name?: string
  in?: string
  description?: string
  schema?: { enum?: readonly unknown[]; default?: unknown; examples?: readonly unknown[] }
}

/** Every path, in the order described. */
export function readPaths(described: Described): ApiPath[] {
  const parameters = described.components?.parameters ?? {}
  return Object.entries(described.paths ?? {}).flatMap(([path, { get, post }]) => {
    const operation = get ?? post
    if (operation === undefined) return []
    const told = (operation.parameters ?? []).map(({ $ref, ...own }) =>
      $ref === undefined ? own : parameterAt($ref, parameters),
    )
    return [
      {
        method: get === undefined ? 'POST' : 'GET',
        path,
        tag: operation.tags?.[0] ?? '',
        about: operation.summary ?? '',
        parameters: told.flatMap((parameter) => (parameter === undefined ? [] : [readParameter(parameter)])),
        types: Object.keys(operation.responses?.['200']?.content ?? {}),
      },
    ]
  })
}

function parameterAt(reference: string, parameters: Readonly<Record<string, Told>>): Told | undefined {
  return parameters[reference.split('/').at(-1) ?? '']
}

function readParameter({ name = '', in: place, description = '', schema = {} }: Told): Parameter {
  const values = (schema.enum ?? []).map(String)
  const [example] = schema.examples ?? values
  return {
    name,
    place: place === 'path' ? 'path' : 'query',
    about: description,
    values,
    usual: schema.default === undefined ? undefined : String(schema.default),
    example: example === undefined ? '' : String(example),
  }
}

/** An address with its parameters filled in: by the values given, else by the examples of the description. */
export function addressOf({ path, parameters }: ApiPath, values: Readonly<Record<string, string | undefined>>): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[name] || parameters.find((parameter) => parameter.name === name)?.example
    // A colon may stand in a path as it is; ids of proposals are easier to read so.
    return encodeURIComponent(value ?? name).replaceAll('%3A', ':')
  })
}

/** The formats that a path comes in, by its ending; none where it has only one. */
export function formatsOf({ path, parameters }: ApiPath): { parameter: string; values: readonly string[] } | undefined {
  const [, name] = /\.\{(\w+)\}$/.exec(path) ?? []
  const values = parameters.find((parameter) => parameter.name === name)?.values ?? []
  return name === undefined || values.length === 0 ? undefined : { parameter: name, values }
}

/** What the headers of a file say of it. */
export interface FileFacts {
  /** Bytes; undefined where it is made while it is sent. */
  size: number | undefined
  etag: string | undefined
  /** Whether it will never be another one. */
  isFinal: boolean
}

/** Size, mark and whether it is final, by the headers of an answer. */
export function factsOf(headers: Pick<Headers, 'get'>): FileFacts {
  const length = headers.get('content-length')
  return {
    size: length !== null && /^\d{1,15}$/.test(length) ? Number(length) : undefined,
    etag: headers.get('etag') ?? undefined,
    isFinal: /\bimmutable\b/.test(headers.get('cache-control') ?? ''),
  }
}

/** How many rows the beginning of a CSV file says it has; undefined where it does not. */
export function rowsIn(beginning: string): number | undefined {
  const [, rows] = /^# rows: (\d{1,15})$/m.exec(beginning) ?? []
  return rows === undefined ? undefined : Number(rows)
}

/** '7.9 kB': bytes, cut off. */
export function sizeText(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`
  const [unit, size] = bytes < 1_000_000 ? ['kB', 1_000] : ['MB', 1_000_000]
  return `${(Math.floor((bytes * 10) / size) / 10).toLocaleString('en')} ${unit}`
}
