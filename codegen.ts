import type { CodegenConfig } from '@graphql-codegen/cli'

/** Types of the API's own schema for its resolvers, and typed documents of what it asks graph-node and of what the
 * example client asks it. */
const config: CodegenConfig = {
  emitLegacyCommonJSImports: false,
  generates: {
    'api/generated/resolvers.ts': {
      schema: 'api/schema.graphql',
      plugins: ['typescript', 'typescript-resolvers'],
      config: {
        useTypeImports: true,
        enumsAsTypes: true,
        contextType: '../context.ts#Context',
        resolversNonOptionalTypename: false,
        addInterfaceFieldResolverTypes: true,
        mappers: {
          Proposal: '../governance-view.ts#ProposalFacts',
          TreasuryProposal: '../governance-view.ts#TreasuryProposalInView',
          Poll: '../governance-view.ts#PollInView',
          AragonVote: '../governance-view.ts#AragonVoteInView',
          VaultPayment: '../subgraph.ts#VaultPayment as VaultPaymentParent',
          VotingToken: '../treasury-resolvers.ts#VotingTokenParent',
          TokenBalance: '../subgraph.ts#TokenBalanceFacts',
          Treasury: '../treasury-resolvers.ts#TreasuryParent',
          TreasuryTransfer: '../treasury-resolvers.ts#TreasuryTransferParent',
          PageInfo: '../pagination.ts#PageEnd',
          VotingPower: '../voting-power.ts#VotingPower as VotingPowerParent',
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
    'api/generated/queries.ts': {
      schema: 'subgraph/query-schema.graphql',
      documents: 'api/queries.graphql',
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
