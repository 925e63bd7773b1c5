// Which part of the project may import which, for dependency-cruiser. An import that only tells types counts like any other.

/** The only package that graph-node runs. */
const GRAPH_TS = 'node_modules/@graphprotocol/graph-ts/'

/** What the files of each part may import of ours, beside the part itself. A part within another obeys both lines. */
const MAY_IMPORT = {
  'api/rules/': [],
  'api/facts/': ['api/rules/', 'api/verification/'],
  'api/verification/': ['api/rules/'],
  'api/texts/': ['api/rules/'],
  'api/views/': ['api/facts/', 'api/rules/', 'api/texts/', 'api/verification/'],
  'api/graphql/': ['api/views/', 'api/facts/', 'api/rules/', 'api/texts/', 'api/verification/'],
  'api/files/': ['api/graphql/', 'api/views/', 'api/facts/', 'api/rules/', 'api/texts/', 'api/verification/'],
  'api/http/': ['api/graphql/', 'api/views/', 'api/facts/', 'api/rules/', 'api/texts/', 'api/verification/'],
  'api/server.ts': ['api/', 'web/first-view.ts'],
  'cli/': ['api/rules/', 'api/graphql/generated/', 'api/facts/rpc.ts', 'api/verification/'],
  'web/': ['api/rules/', 'api/verification/'],
  'web/first-view.ts': ['web/generated/', 'web/places.ts'],
  'web/places.ts': ['web/generated/'],
  'examples/': [],
  'stack/': [
    'api/server.ts',
    'api/facts/errors.ts',
    'api/facts/followed-chain.ts',
    'api/facts/graph-node.ts',
    'api/facts/rpc.ts',
    'api/graphql/limits.ts',
    'api/http/metrics.ts',
    'api/http/rate-limit.ts',
    'api/texts/ipfs-file.ts',
  ],
  'tests/': ['api/', 'cli/', 'examples/', 'mappings/', 'stack/', 'subgraph/', 'web/'],
  'mappings/': ['subgraph/'],
  'subgraph/entities/': ['subgraph/generated/', 'subgraph/ids.ts', 'subgraph/protocol/'],
  'subgraph/ids.ts': [],
  'subgraph/protocol/': [],
  'lint/': [],
  'codegen.ts': [],
  'vitest.config.ts': [],
}

/** Parts that stand on these packages alone, and on no module of Node: those for graph-node, and those for a browser too. */
const STANDS_ON = {
  'api/rules/': [],
  'api/verification/': ['node_modules/viem/'],
  'mappings/': [GRAPH_TS],
  'subgraph/': [GRAPH_TS],
}

/** Regular expressions of the paths that begin with one of these. */
const beginning = (paths) => paths.map((path) => `^${path.replaceAll('.', '\\.')}`)

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    ...Object.entries(MAY_IMPORT).map(([part, others]) => ({
      name: part,
      severity: 'error',
      comment: `it may import of ours: ${others.join(', ') || 'nothing'}`,
      from: { path: beginning([part]) },
      to: { dependencyTypes: ['local'], pathNot: beginning([part, ...others]) },
    })),
    ...Object.entries(STANDS_ON).map(([part, packages]) => ({
      name: `${part} stands alone`,
      severity: 'error',
      comment: `beside what is ours it may import: ${packages.join(', ') || 'nothing'}`,
      from: { path: beginning([part]) },
      to: { dependencyTypesNot: ['local'], pathNot: packages },
    })),
    {
      name: 'types only',
      severity: 'error',
      comment: "of the API's schema others take types, nothing that runs",
      from: { path: beginning(['cli/', 'web/']) },
      to: { path: beginning(['api/graphql/generated/']), dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'no circles',
      severity: 'error',
      comment: 'two files that need each other are one, or a third is missing',
      from: {},
      to: { circular: true },
    },
    {
      name: 'a place for all',
      severity: 'error',
      comment: 'a new part needs its line above',
      from: { pathNot: beginning(Object.keys(MAY_IMPORT)) },
      to: {},
    },
    {
      name: 'found',
      severity: 'error',
      comment: 'where an import leads to nothing, it is not known where the arrow points',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    // What codegen writes belongs to its part, but its resolvers take types of the files that take types of them.
    doNotFollow: { path: ['node_modules/', '/generated/'] },
    exclude: { path: beginning(['build/', '.data/']) },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'node', 'default'],
      mainFields: ['main', 'types', 'typings'],
    },
  },
}
