import type { CodegenConfig } from '@graphql-codegen/cli'

/** Types of the API's own schema for its resolvers, and typed documents of what it asks graph-node and of what the
 * example client asks it. */
const config: CodegenConfig = {
  emitLegacyCommonJSImports: false,
  generates: {
    'api/graphql/generated/resolvers.ts': {
      schema: 'api/schema.graphql',
      plugins: ['typescript', 'typescript-resolvers'],
      config: {
        useTypeImports: true,
        enumsAsTypes: true,
        contextType: '../context.ts#Context',
        resolversNonOptionalTypename: false,
        addInterfaceFieldResolverTypes: true,
        mappers: {
          Proposal: '../../views/governance-view.ts#ProposalFacts',
          TreasuryProposal: '../../views/governance-view.ts#TreasuryProposalInView',
          Poll: '../../views/governance-view.ts#PollInView',
          AragonVote: '../../views/governance-view.ts#AragonVoteInView',
          VaultPayment: '../../facts/subgraph.ts#VaultPayment as VaultPaymentParent',
          VotingToken: '../treasury-resolvers.ts#VotingTokenParent',
          TokenBalance: '../../facts/subgraph.ts#TokenBalanceFacts',
          Treasury: '../treasury-resolvers.ts#TreasuryParent',
          TreasuryTransfer: '../treasury-resolvers.ts#TreasuryTransferParent',
          PageInfo: '../pagination.ts#PageEnd',
          VotingPower: '../../rules/voting-power.ts#VotingPower as VotingPowerParent',
          Vote: '../proposal-resolvers.ts#VoteParent',
          AccountVote: '../proposal-resolvers.ts#AccountVoteParent',
          Account: '{ address: string }',
          Round: '../resolvers.ts#RoundParent',
          StakeSnapshot: '../resolvers.ts#StakeSnapshotParent',
          ChainStatus: '../resolvers.ts#ChainStatusParent',
        },
        scalars: {
          BigInt: 'bigint',
          Address: 'string',
          Hex: 'string',
          DateTime: 'string',
          ID: 'string',
        },
      },
    },
    'api/facts/generated/queries.ts': {
      schema: 'subgraph/query-schema.graphql',
      documents: 'api/facts/queries.graphql',
      plugins: ['typescript-operations', 'typed-document-node'],
      config: {
        useTypeImports: true,
        enumsAsTypes: true,
        skipTypename: true,
        scalars: { BigInt: 'string', Bytes: 'string', Int8: 'string', BigDecimal: 'string', Timestamp: 'string' },
      },
    },
    'examples/generated/queries.ts': {
      schema: 'api/schema.graphql',
      documents: 'examples/queries.graphql',
      plugins: ['typescript-operations', 'typed-document-node'],
      config: {
        useTypeImports: true,
        enumsAsTypes: true,
        skipTypename: true,
        scalars: { BigInt: 'string', Address: 'string', Hex: 'string', DateTime: 'string' },
      },
    },
  },
}

export default config
