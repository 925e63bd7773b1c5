import { setLogPosition } from '../subgraph/entities/log'
import { getOrCreateProtocol } from '../subgraph/entities/protocol'
import { NewTransaction as NewTransactionEvent } from '../subgraph/generated/Finance/Finance'
import { FinanceTransaction } from '../subgraph/generated/schema'
import { logId } from '../subgraph/ids'

/** Money that Finance took in or paid. */
export function handleNewTransaction(event: NewTransactionEvent): void {
  const transaction = new FinanceTransaction(logId(event))
  transaction.finance = event.address
  transaction.transactionId = event.params.transactionId
  transaction.incoming = event.params.incoming
  transaction.entity = event.params.entity
  transaction.amount = event.params.amount
  transaction.reference = event.params.reference
  setLogPosition(transaction, event, getOrCreateProtocol())
  transaction.save()
}
