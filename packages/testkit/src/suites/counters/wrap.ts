import type { CounterRow, Counters, Lease } from '@switchyard/contract'
import type { Mutant, Opened } from '../../conformance/suite.ts'

/** What a mutant knows beside the right counters. */
export interface Beside {
  /** What each lease was granted. */
  readonly held: ReadonlyMap<string, { readonly rows: readonly CounterRow[]; readonly lease: Lease }>
  now(): number
  /** A lease of the mutant's own that outlasts the case. */
  ownLease(): Lease
  /** Adds a settled amount behind everyone's back. */
  add(key: string, amount: bigint, expiresAt?: number): Promise<void>
}

/** A mutant that does what right counters do, but for `change`. */
export function mutant(
  name: string,
  killedBy: string,
  change: (right: Counters, beside: Beside) => Partial<Counters>,
): Mutant<Counters> {
  return {
    name,
    killedBy,
    mutate(instance, opened) {
      const held = new Map<string, { rows: readonly CounterRow[]; lease: Lease }>()
      const right: Counters = {
        capabilities: instance.capabilities,
        async reserve(rows, lease, options) {
          const said = await instance.reserve(rows, lease, options)
          if (said.granted) held.set(lease.id, { rows, lease })
          return said
        },
        settle: (leaseId, amounts, options) => instance.settle(leaseId, amounts, options),
        renew: (leaseId, renewal, options) => instance.renew(leaseId, renewal, options),
        expired: (options) => instance.expired(options),
        acknowledge: (leaseIds, options) => instance.acknowledge(leaseIds, options),
        read: (keys, options) => instance.read(keys, options),
      }
      return { ...right, ...change(right, beside(instance, opened, held)) }
    },
  }
}

function beside(instance: Counters, opened: Opened<Counters>, held: Beside['held']): Beside {
  let own = 0
  function ownLease(): Lease {
    own += 1
    return { id: `own lease ${own}`, expiresAt: opened.now() + 600_000 }
  }
  return {
    held,
    now: () => opened.now(),
    ownLease,
    async add(key, amount, expiresAt) {
      const lease = ownLease()
      const limit = 10n ** 18n
      await instance.reserve([{ key, amount, limit, ...(expiresAt === undefined ? {} : { expiresAt }) }], lease)
      await instance.settle(lease.id, { [key]: amount })
    },
  }
}

/** A row with another limit, where it has one. */
export function relimited(row: CounterRow, changed: (limit: bigint) => bigint): CounterRow {
  return row.limit === undefined ? row : { ...row, limit: changed(row.limit) }
}

/** Reserves other rows than it was given. */
export function reserves(right: Counters, changed: (row: CounterRow) => CounterRow): Partial<Counters> {
  return { reserve: (rows, lease, options) => right.reserve(rows.map(changed), lease, options) }
}

/** Reserves under another lease than it was given. */
export function leases(right: Counters, changed: (lease: Lease) => Lease): Partial<Counters> {
  return { reserve: (rows, lease, options) => right.reserve(rows, changed(lease), options) }
}

/** Settles other amounts than it was given; `reserved` is what the lease was granted for the key. */
export function settles(
  right: Counters,
  { held }: Beside,
  changed: (amount: bigint | undefined, reserved: bigint, key: string) => bigint | undefined,
): Partial<Counters> {
  return {
    settle(leaseId, amounts, options) {
      const rows = held.get(leaseId)?.rows ?? []
      const keys = new Set([...rows.map(({ key }) => key), ...Object.keys(amounts)])
      const settled: [string, bigint][] = []
      for (const key of keys) {
        const reserved = rows.filter((row) => row.key === key).reduce((sum, { amount }) => sum + amount, 0n)
        const amount = changed(Object.hasOwn(amounts, key) ? amounts[key] : undefined, reserved, key)
        if (amount !== undefined) settled.push([key, amount])
      }
      return right.settle(leaseId, Object.fromEntries(settled), options)
    },
  }
}

/** Takes one key for another. */
export function confusesKeys(right: Counters, changed: (key: string) => string): Partial<Counters> {
  return {
    reserve: (rows, lease, options) =>
      right.reserve(
        rows.map((row) => ({ ...row, key: changed(row.key) })),
        lease,
        options,
      ),
    settle: (leaseId, amounts, options) =>
      right.settle(
        leaseId,
        Object.fromEntries(Object.entries(amounts).map(([key, amount]) => [changed(key), amount])),
        options,
      ),
    read: (keys, options) => right.read(keys.map(changed), options),
  }
}
