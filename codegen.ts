import { readdirSync } from 'node:fs'
import { basename } from 'node:path'
import type { CodegenConfig } from '@graphql-codegen/cli'

/** A module for each page of the explorer, so that a browser loads the documents of the page it shows only. */
const explorer: CodegenConfig['generates'] = Object.fromEntries(
  readdirSync('web/pages')
    .filter((name) => name.endsWith('.graphql') && name !== 'proposal-row.graphql')
    .map((name) => [
      `web/generated/${basename(name, '.graphql')}.ts`,
      {
        schema: 'api/schema.graphql',
        documents: [`web/pages/${name}`, 'web/pages/proposal-row.graphql'],
        plugins: ['typescript-operations', 'typed-document-node'],
        config: {
          useTypeImports: true,
          enumsAsTypes: true,
          skipTypename: true,
          documentMode: 'string',
          pureMagicComment: true,
          scalars: { BigInt: 'string', Address: 'string', Hex: 'string', DateTime: 'string' },
        },
      },
    ]),
)

/** Types of the API's own schema for its resolvers, and typed documents of what it asks graph-node and of what the
 * example client and the explorer ask it. */
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
          Proposal: '../../views/governance-view.ts#ProposalInView',
          TreasuryProposal: '../../views/governance-view.ts#TreasuryProposalInView',
          Poll: '../../views/governance-view.ts#PollInView',
          AragonVote: '../../views/governance-view.ts#AragonVoteInView',
          VaultPayment: '../../facts/treasury.ts#VaultPayment as VaultPaymentParent',
          VotingToken: '../parents.ts#VotingTokenParent',
          TokenBalance: '../../facts/aragon.ts#TokenBalance as TokenBalanceParent',
          Treasury: '../parents.ts#TreasuryParent',
          TreasuryTransfer: '../parents.ts#TreasuryTransferParent',
          PageInfo: '../parents.ts#PageEnd',
          VotingPower: '../../views/stake-view.ts#PowerInView',
          Vote: '../parents.ts#VoteParent',
          AccountVote: '../parents.ts#AccountVoteParent',
          Ballot: '../parents.ts#BallotParent',
          Recounted: '../../rules/recount.ts#Recounted as RecountedParent',
          Rule: '../../rules/counting-rule.ts#CountingRule',
          Absentee: '../../rules/absentees.ts#Absentee as AbsenteeParent',
          Turnout: '../../rules/absentees.ts#Turnout as TurnoutParent',
          Account: '{ address: string }',
          Concentration: '../../rules/concentration.ts#Concentration as ConcentrationParent',
          Round: '../parents.ts#RoundParent',
          StakeSnapshot: '../parents.ts#StakeSnapshotParent',
          ChainStatus: '../parents.ts#ChainStatusParent',
          Verification: '../../views/verification-record.ts#VerificationRecord',
          VerifiedDifference: '../../views/verification-record.ts#VerifiedDifference as VerifiedDifferenceParent',
          UncheckedPart: '../../views/verification-record.ts#UncheckedPart as UncheckedPartParent',
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
    ...explorer,
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
