import type { CounterChange, CounterRow, Counters, ExpiredLease, Lease, LeaseRenewal, Reservation } from '@switchyard/contract'
import type { Mutant, Opened } from '../../conformance/suite.ts'

/** What was asked for and granted, as it was at first. */
export interface Granted {
  readonly rows: readonly CounterRow[]
  readonly lease: Lease
}

/** What a mutant knows beside the right counters. */
export interface Beside {
  /** What each lease was granted, in the order of the grants. */
  readonly held: ReadonlyMap<string, Granted>
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
      const held = new Map<string, Granted>()
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
      const granted = held.get(leaseId)
      const keys = new Set([...(granted?.rows ?? []).map(({ key }) => key), ...Object.keys(amounts)])
      const settled: [string, bigint][] = []
      for (const key of keys) {
        const amount = changed(
          Object.hasOwn(amounts, key) ? amounts[key] : undefined,
          granted === undefined ? 0n : amountOf(granted, key),
          key,
        )
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

/** Says other sums of a grant. */
export function grants(
  right: Counters,
  changed: (sums: readonly bigint[], rows: readonly CounterRow[]) => readonly bigint[],
): Partial<Counters> {
  return {
    async reserve(rows, lease, options) {
      const said = await right.reserve(rows, lease, options)
      return said.granted ? { ...said, sums: changed(said.sums, rows) } : said
    },
  }
}

/** Says another time at which a refused row frees. */
export function frees(
  right: Counters,
  changed: (refusal: Extract<Reservation, { granted: false }>) => number | undefined,
): Partial<Counters> {
  return {
    async reserve(rows, lease, options) {
      const said = await right.reserve(rows, lease, options)
      return said.granted ? said : { ...said, freesAt: changed(said) }
    },
  }
}

/** Says other changes of a settlement. */
export function settlesSaying(
  right: Counters,
  changed: (
    changes: readonly CounterChange[],
    leaseId: string,
    amounts: Readonly<Record<string, bigint>>,
  ) => readonly CounterChange[],
): Partial<Counters> {
  return {
    async settle(leaseId, amounts, options) {
      const said = await right.settle(leaseId, amounts, options)
      return said.settled ? { ...said, changes: changed(said.changes, leaseId, amounts) } : said
    },
  }
}

/** Lists other leases than expired. */
export function lists(right: Counters, changed: (list: readonly ExpiredLease[]) => readonly ExpiredLease[]): Partial<Counters> {
  return { expired: async (options) => changed(await right.expired(options)) }
}

/** Renews otherwise than it was told. */
export function renews(right: Counters, changed: (renewal: LeaseRenewal, leaseId: string) => LeaseRenewal): Partial<Counters> {
  return { renew: (leaseId, renewal, options) => right.renew(leaseId, changed(renewal, leaseId), options) }
}

/** Reads other sums: `more` is what to add to a key's for each lease that was granted. */
export function reads(right: Counters, { held }: Beside, more: (granted: Granted, key: string) => bigint): Partial<Counters> {
  return {
    async read(keys, options) {
      const sums = await right.read(keys, options)
      return sums.map((sum, at) => {
        for (const granted of held.values()) sum += more(granted, keys[at] as string)
        return sum
      })
    },
  }
}

/** What all rows of a key expect. */
export function expectedOf({ rows }: Granted, key: string): bigint {
  return rows.reduce((sum, row) => (row.key === key ? sum + (row.expected ?? 0n) : sum), 0n)
}

/** What all rows of a key reserve. */
export function amountOf({ rows }: Granted, key: string): bigint {
  return rows.reduce((sum, row) => (row.key === key ? sum + row.amount : sum), 0n)
}
