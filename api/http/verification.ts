import type { ApolloServerPlugin } from '@apollo/server'
import type { Context } from '../graphql/context.ts'

/** Of what differs, how much is told with an answer; status tells how much there is. */
const MOST_TOLD = 100

/** Warns in `extensions.differences` of answers that depend on what the contracts tell otherwise. */
export const verificationPlugin: ApolloServerPlugin<Context> = {
  requestDidStart: async () => ({
    willSendResponse: async ({ contextValue: { chains, keeping }, response }) => {
      if (response.body.kind !== 'single') return
      const differences = chains.views.flatMap((view) =>
        view.differences.map(({ block: _, ...difference }) => ({ network: view.network, ...difference })),
      )
      if (differences.length === 0) return
      keeping.noteWarning()
      const { extensions } = response.body.singleResult
      response.body.singleResult.extensions = { ...extensions, differences: differences.slice(0, MOST_TOLD) }
    },
  }),
}
