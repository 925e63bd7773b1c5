import { integer } from '../rules/integer.ts'
import type { LogPosition } from '../rules/log.ts'
import { type ListReaders, logPosition } from './lists.ts'
import { append, type FactsByKey, type Since, Timeline } from './timeline.ts'

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

/** What Finance says it paid. */
interface Announcement extends Since {
  entity: string
  amount: bigint
  reference: string
  logIndex: number
}

/** What is held of money: transfers by treasury, what left vaults and what Finance said by transaction. */
export interface TreasuryLayer {
  transfers: FactsByKey<TreasuryTransfer & Since>
  payments: FactsByKey<Omit<VaultPayment, 'reference'> & Since>
  announcements: FactsByKey<Announcement>
}

/** No money. */
export function newTreasuryLayer(): TreasuryLayer {
  return { transfers: new Map(), payments: new Map(), announcements: new Map() }
}

/** How lists about money are read. */
export const treasuryLists: ListReaders<'treasuryTransfers' | 'vaultMovements' | 'financeTransactions', TreasuryLayer> =
  {
    treasuryTransfers: {
      blockOf: ({ block }) => block,
      hold: (transfer, layer, _, names) =>
        append(layer.transfers, names.of(transfer.treasury.id), {
          from: names.of(transfer.from),
          to: names.of(transfer.to),
          amount: integer(transfer.amount),
          balanceAfter: integer(transfer.balanceAfter),
          at: logPosition(transfer),
          block: transfer.block,
        }),
    },
    vaultMovements: {
      blockOf: ({ block }) => block,
      hold: (movement, layer, _, names) =>
        append(layer.payments, movement.transactionHash, {
          vault: names.of(movement.vault),
          token: names.of(movement.token),
          to: names.of(movement.entity),
          amount: integer(movement.amount),
          at: logPosition(movement),
          block: movement.block,
        }),
    },
    financeTransactions: {
      blockOf: ({ block }) => block,
      hold: ({ entity, amount, reference, logIndex, block, transactionHash }, layer, _, names) =>
        append(layer.announcements, transactionHash, {
          entity: names.of(entity),
          amount: integer(amount),
          reference,
          logIndex,
          block,
        }),
    },
  }

/** Everything about money as of the end of a block. */
export class TreasuryFacts {
  readonly #transfers: Timeline<TreasuryTransfer & Since>
  readonly #payments: Timeline<Omit<VaultPayment, 'reference'> & Since>
  readonly #announcements: Timeline<Announcement>

  constructor(final: TreasuryLayer, tail: TreasuryLayer, mark: number, block: number) {
    this.#transfers = new Timeline(final.transfers, tail.transfers, mark, block)
    this.#payments = new Timeline(final.payments, tail.payments, mark, block)
    this.#announcements = new Timeline(final.announcements, tail.announcements, mark, block)
  }

  /** Addresses of the treasuries and vaults that LPT ever came into, in order. */
  treasuries(): string[] {
    return [...this.#transfers.keys()].filter((treasury) => this.#transfers.last(treasury) !== undefined).sort()
  }

  /** LPT that a treasury or vault has, wei; 0 before any came in. */
  balance(treasury: string): bigint {
    return this.#transfers.last(treasury)?.balanceAfter ?? 0n
  }

  /** All LPT into and out of a treasury or vault, in the order of logs. */
  transfers(treasury: string): TreasuryTransfer[] {
    return this.#transfers.all(treasury)
  }

  /** What left vaults in a transaction, in the order of logs. */
  payments(transactionHash: string): VaultPayment[] {
    return this.#payments.all(transactionHash).map(({ block: _, ...payment }) => {
      // Finance announces what it pays before the vault does.
      const announced = this.#announcements
        .all(transactionHash)
        .findLast(
          ({ logIndex, entity, amount }) =>
            logIndex < payment.at.logIndex && entity === payment.to && amount === payment.amount,
        )
      return { ...payment, reference: announced?.reference || null }
    })
  }
}
