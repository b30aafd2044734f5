import type { Books } from '../budget/books.ts'

/** What of a bill is compared. */
export interface TruthBill {
  readonly id: string
  readonly pico: bigint
}

/** Books beside bills, for the calls of one process. Nano-USD. */
export interface Reconciled {
  readonly billed: number
  readonly billedNano: bigint
  readonly chargedNano: bigint
  /** Calls whose end nobody saw, charged what was expected of them: billed and charged. */
  readonly unsettled: number
  readonly unsettledBilledNano: bigint
  readonly unsettledChargedNano: bigint
  /** Of them, those that never reached the upstream: killed on the way there. */
  readonly neverSent: number
  /** What must not be, a line each. */
  readonly differences: readonly string[]
}

/** Compares the calls whose id begins with `prefix`: each that was billed has one row, and each row is the bill or an expectation. */
export function reconcile(books: Books, bills: readonly TruthBill[], prefix: string): Reconciled {
  const truth = new Map<string, bigint[]>()
  for (const { id, pico } of bills) {
    if (id.startsWith(prefix)) truth.set(id, [...(truth.get(id) ?? []), (pico + 999n) / 1_000n])
  }
  const differences: string[] = []
  let [billed, unsettled, neverSent] = [0, 0, 0]
  let [billedNano, chargedNano, unsettledBilledNano, unsettledChargedNano] = [0n, 0n, 0n, 0n]
  for (const [id, { nano, kinds }] of books.byCall) {
    if (!id.startsWith(prefix)) continue
    chargedNano += nano
    if (kinds.length > 1) differences.push(`${id} has ${kinds.length} rows: ${kinds.join(', ')}`)
    if (kinds.includes('unsettled')) {
      unsettled += 1
      unsettledChargedNano += nano
      if (!truth.has(id)) neverSent += 1
    } else if (!truth.has(id)) differences.push(`${id} is charged ${nano} and was never billed`)
  }
  for (const [id, amounts] of truth) {
    billed += amounts.length
    const sum = amounts.reduce((all, one) => all + one, 0n)
    billedNano += sum
    const row = books.byCall.get(id)
    if (row === undefined) differences.push(`${id} was billed ${sum} and is not in the ledger`)
    else if (row.kinds.includes('unsettled')) unsettledBilledNano += sum
    else if (row.nano !== sum) differences.push(`${id} was billed ${sum} and charged ${row.nano}`)
  }
  return { billed, billedNano, chargedNano, unsettled, unsettledBilledNano, unsettledChargedNano, neverSent, differences }
}
