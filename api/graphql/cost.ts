import type { ApolloServerPlugin } from '@apollo/server'
import {
  GraphQLError,
  type GraphQLSchema,
  getNullableType,
  getVariableValues,
  isListType,
  type OperationDefinitionNode,
} from 'graphql'
import { type ComplexityEstimator, getComplexity } from 'graphql-query-complexity'
import type { Context } from './context.ts'
import { figure, type Limits, limitExceeded, refusal } from './limits.ts'
import { MAX_PAGE } from './pagination.ts'

/** Lists without `first`, as long as they may well be. */
const USUAL_LENGTH: Record<string, number> = { 'Round.activeTranscoders': 100, 'Vote.earlier': 1 }
const OTHER_LENGTH = 10
/** Each account whose voting power is asked for: on Ethereum L1 its contract may have to be. */
const ACCOUNT_COST = 20
/** What is read and computed for a field whatever is asked of it, in values: a whole snapshot, history or list of votes. */
const FIXED_COST: Record<string, number> = {
  ...costOfCounting('Proposal', 'TreasuryProposal', 'Poll', 'AragonVote'),
  'Account.ballots': 500,
  'Query.stakeSnapshot': 5000,
  'Query.tokenAllocation': 500,
  'Round.activeTranscoders': 1000,
  'Round.concentration': 5000,
  'StakeSnapshot.merkleRoot': 5000,
  'Query.votingPower': ACCOUNT_COST,
  'Account.votingPower': ACCOUNT_COST,
  'Account.votingPowerHistory': 500,
  'Account.delegators': 500,
  'VotingToken.balance': 500,
  'VotingToken.totalSupply': 500,
}

/** What looks at everybody's stake for one proposal. */
function costOfCounting(...types: string[]): Record<string, number> {
  const fields = ['absentees', 'turnout', 'recount']
  return Object.fromEntries(types.flatMap((type) => fields.map((field) => [`${type}.${field}`, 500])))
}

/** Each voter that a recount is given. */
const VOTER_COST = 10

/** What is looked up for the voters that a recount is given. */
function costOfVoters({ with: changes }: Parameters<ComplexityEstimator>[0]['args']): number {
  const { without, choices } = (changes ?? {}) as { without?: unknown; choices?: unknown }
  const count = (list: unknown) => (Array.isArray(list) ? list.length : 0)
  return VOTER_COST * (count(without) + count(choices))
}

/** What is looked up for the accounts of votingPowers. */
function costOfAccounts({ accounts }: Parameters<ComplexityEstimator>[0]['args']): number {
  return Array.isArray(accounts) ? ACCOUNT_COST * accounts.length : 0
}

/** How many entries a list may have; undefined for what is none. */
const lengthOf = ({ type, field, args }: Parameters<ComplexityEstimator>[0]): number | undefined => {
  // Whatever is more than a page is refused as no page.
  if (typeof args.first === 'number') return Math.min(Math.max(args.first, 0), MAX_PAGE)
  if (Array.isArray(args.accounts)) return args.accounts.length
  // As many as its connection has.
  if (field.name === 'nodes') return undefined
  if (!isListType(getNullableType(field.type))) return undefined
  return USUAL_LENGTH[`${type.name}.${field.name}`] ?? OTHER_LENGTH
}

/** Each value of the answer costs 1, those of a list as often as it may have entries; FIXED_COST, VOTER_COST and ACCOUNT_COST are added. */
const costOf: ComplexityEstimator = (field) => {
  const known = FIXED_COST[`${field.type.name}.${field.field.name}`] ?? 0
  const fixed = known + costOfVoters(field.args) + costOfAccounts(field.args)
  return fixed + (field.childComplexity + 1) * (lengthOf(field) ?? 1)
}

const listProductOf: ComplexityEstimator = (field) =>
  typeof field.args.first === 'number'
    ? (lengthOf(field) ?? 0) * Math.max(1, field.childComplexity)
    : field.childComplexity

/** Refuses what would cost too much before anything of it is asked, and tells the cost of what is answered. */
export function costPlugin(limits: Limits): ApolloServerPlugin<Context> {
  return {
    requestDidStart: async () => {
      let cost: number | undefined
      return {
        didResolveOperation: async ({ schema, document, operation, request }) => {
          // GraphQL's own error about these comes later.
          if (operation === undefined) return
          if (operation.operation !== 'query') {
            throw refusal('BAD_USER_INPUT', `There is nothing for a ${operation.operation} here: ask a query`)
          }
          if (hasBadVariables(schema, operation, request.variables)) return
          const measure = (estimator: ComplexityEstimator) => {
            try {
              return getComplexity({
                schema,
                query: document,
                ...(operation.name === undefined ? {} : { operationName: operation.name.value }),
                variables: request.variables ?? {},
                estimators: [estimator],
                maxQueryNodes: limits.fields,
              })
            } catch (error) {
              const isTooMany =
                error instanceof GraphQLError && error.message.includes('maximum allowed number of nodes')
              throw isTooMany ? limitExceeded('fields', limits.fields, 'the document has more') : error
            }
          }
          const product = measure(listProductOf)
          if (product > limits.listProduct) {
            throw limitExceeded('list product', limits.listProduct, `\`first\` multiplied comes to ${figure(product)}`)
          }
          cost = measure(costOf)
          if (cost > limits.cost) throw limitExceeded('cost', limits.cost, `the document costs ${figure(cost)}`)
        },
        willSendResponse: async ({ response }) => {
          if (cost === undefined || response.body.kind !== 'single') return
          response.body.singleResult.extensions = { cost, ...response.body.singleResult.extensions }
        },
      }
    },
  }
}

function hasBadVariables(
  schema: GraphQLSchema,
  { variableDefinitions }: OperationDefinitionNode,
  variables: Record<string, unknown> | undefined,
): boolean {
  return getVariableValues(schema, variableDefinitions ?? [], variables ?? {}).errors !== undefined
}
