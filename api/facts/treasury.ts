import { integer } from '../rules/integer.ts'
import type { LogPosition } from '../rules/log.ts'
import { logPosition, series, type Timelines } from './series.ts'
import type { Since } from './timeline.ts'

/** LPT into or out of a treasury or vault; wei. */
export interface TreasuryTransfer {
  from: string
  to: string
  amount: bigint
  balanceAfter: bigint
  at: LogPosition
}

/** Something that left a vault, wei of the token; reference is what Finance says it was for. */
export interface VaultPayment {
  vault: string
  token: string
  to: string
  amount: bigint
  reference: string | null
  at: LogPosition
}

/** Facts of money: transfers by treasury, what left vaults and what Finance said of it by transaction. */
export const treasurySeries = {
  transfers: series('treasuryTransfers', (transfer, names): [string, TreasuryTransfer & Since] => {
    const [from, to] = [names.of(transfer.from), names.of(transfer.to)]
    const [amount, balanceAfter] = [integer(transfer.amount), integer(transfer.balanceAfter)]
    const fact = { from, to, amount, balanceAfter, at: logPosition(transfer), block: transfer.block }
    return [names.of(transfer.treasury.id), fact]
  }),
  payments: series('vaultMovements', (movement, names): [string, VaultPayment & Since] => {
    const [vault, token, to] = [names.of(movement.vault), names.of(movement.token), names.of(movement.entity)]
    const amount = integer(movement.amount)
    const fact = { vault, token, to, amount, reference: null, at: logPosition(movement), block: movement.block }
    return [movement.transactionHash, fact]
  }),
  announcements: series('financeTransactions', ({ entity, amount, reference, logIndex, block, transactionHash }) => [
    transactionHash,
    { to: entity, amount: integer(amount), reference, logIndex, block },
  ]),
}

/** Everything about money as of the end of a block. */
export class TreasuryFacts {
  constructor(private readonly facts: Timelines<typeof treasurySeries>) {}

  /** Addresses of the treasuries and vaults that LPT ever came into, in order. */
  treasuries(): string[] {
    const { transfers } = this.facts
    return [...transfers.keys()].filter((treasury) => transfers.last(treasury) !== undefined).sort()
  }

  /** LPT that a treasury or vault has, wei; 0 before any came in. */
  balance(treasury: string): bigint {
    return this.facts.transfers.last(treasury)?.balanceAfter ?? 0n
  }

  /** All LPT into and out of a treasury or vault, in the order of logs. */
  transfers(treasury: string): TreasuryTransfer[] {
    return this.facts.transfers.all(treasury)
  }

  /** What left vaults in a transaction, in the order of logs. */
  payments(transactionHash: string): VaultPayment[] {
    const announcements = this.facts.announcements.all(transactionHash)
    return this.facts.payments.all(transactionHash).map((payment) => {
      // Finance announces what it pays before the vault does.
      const announced = announcements.findLast(
        ({ logIndex, to, amount }) => logIndex < payment.at.logIndex && to === payment.to && amount === payment.amount,
      )
      return { ...payment, reference: announced?.reference || null }
    })
  }
}
