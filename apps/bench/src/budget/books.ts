import { DatabaseSync } from 'node:sqlite'

/** What the ledger says of a run. Nano-USD. */
export interface Books {
  readonly chargedNano: bigint
  /** By call. */
  readonly byCall: ReadonlyMap<string, { readonly nano: bigint; readonly kinds: readonly string[] }>
}

/** A ledger and a counter beside what was billed; undefined for schemes that keep no books. */
export interface Compared {
  /** What the ledger charged, in percent of the limit. */
  readonly chargedPercent: number | undefined
  /** Attempts whose end nobody saw, which are charged what was expected of them; and those of them that never reached the upstream. */
  readonly unsettled: number | undefined
  readonly neverSent: number | undefined
  /** What the upstream billed for them beyond what they were charged, in percent of the limit; below 0 where it was less. */
  readonly unsettledBeyondPercent: number | undefined
  /** Other calls whose rows are not what was billed, or which have none: 0. */
  readonly wrongRows: number | undefined
  /** Nano-USD at the counter beyond the ledger once all leases ran out: 0. */
  readonly leftNano: bigint | undefined
}

/** Of schemes without books. */
export const NOT_COMPARED: Compared = Object.freeze({
  chargedPercent: undefined,
  unsettled: undefined,
  neverSent: undefined,
  unsettledBeyondPercent: undefined,
  wrongRows: undefined,
  leftNano: undefined,
})

/** Compares call by call. `sums` are the counters, nano-USD as text by key. */
export function compare(
  books: Books,
  bills: readonly { readonly id: string; readonly pico: bigint }[],
  limitPico: bigint,
  sums: Readonly<Record<string, string>>,
): Compared {
  const billed = new Map<string, bigint>()
  for (const { id, pico } of bills) billed.set(id, (billed.get(id) ?? 0n) + (pico + 999n) / 1_000n)
  let [unsettled, neverSent, wrongRows] = [0, 0, 0]
  let beyond = 0n
  for (const id of new Set([...books.byCall.keys(), ...billed.keys()])) {
    const row = books.byCall.get(id)
    const truth = billed.get(id)
    if (row?.kinds.includes('unsettled') === true && !row.kinds.includes('adjustment')) {
      unsettled += 1
      if (truth === undefined) neverSent += 1
      beyond += (truth ?? 0n) - row.nano
    } else if ((row?.nano ?? 0n) !== (truth ?? 0n) || row === undefined) wrongRows += 1
  }
  const team = Object.entries(sums).find(([key]) => key.includes(':b:team@'))?.[1]
  const percent = (nano: bigint): number => (100 * Number(nano * 1_000n)) / Number(limitPico)
  return {
    chargedPercent: percent(books.chargedNano),
    unsettled,
    neverSent,
    unsettledBeyondPercent: percent(beyond),
    wrongRows,
    leftNano: team === undefined ? undefined : BigInt(team) - books.chargedNano,
  }
}

/** Reads a ledger's file, beside whoever writes to it. */
export function readBooks(path: string): Books {
  const database = new DatabaseSync(path, { readOnly: true })
  try {
    const found = database.prepare('SELECT call_id, kind, charged_nusd FROM switchyard_ledger ORDER BY attempt_id').all()
    const byCall = new Map<string, { nano: bigint; kinds: string[] }>()
    let chargedNano = 0n
    for (const { call_id: call, kind, charged_nusd: charged } of found) {
      const nano = BigInt(charged as number)
      chargedNano += nano
      const of = byCall.get(String(call)) ?? { nano: 0n, kinds: [] }
      byCall.set(String(call), { nano: of.nano + nano, kinds: [...of.kinds, String(kind)] })
    }
    return { chargedNano, byCall }
  } finally {
    database.close()
  }
}
