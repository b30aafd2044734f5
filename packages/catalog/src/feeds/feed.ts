import { SwitchyardError } from '@switchyard/contract'
import type { SourceRow } from '../merge/source-row.ts'
import { asRecord, isRefusal } from './row-values.ts'

/** What an importer makes of a feed's bytes. */
export interface Import {
  readonly rows: readonly SourceRow[]
  /** Models of the feed that were looked at, those left out included. */
  readonly seen: number
  /** Models that were left out, and why. */
  readonly rejected: readonly { readonly id: string; readonly reason: string }[]
  /** Single values that were left out of a row that was kept. */
  readonly dropped: readonly { readonly id: string; readonly field: string }[]
  /** Values that were taken by a guess at what the feed means. */
  readonly toCheck: readonly { readonly id: string; readonly field: string }[]
  /** Keys that the importer does not know, and how often they came. To be logged; never an error. */
  readonly unknownKeys: Readonly<Record<string, number>>
}

/** Collects rows while an importer walks through a feed. */
export interface Collector {
  /** Reads one model; what it refuses is counted and left out. */
  read(id: string, read: () => readonly SourceRow[]): void
  /** Notes a value that was taken by a guess. */
  check(id: string, field: string): void
  /** Counts the keys of `value` that are not in `known`. */
  keys(value: Readonly<Record<string, unknown>>, known: ReadonlySet<string>): void
  result(): Import
}

export function collector(): Collector {
  const rows: SourceRow[] = []
  const rejected: { id: string; reason: string }[] = []
  const dropped: { id: string; field: string }[] = []
  const toCheck: { id: string; field: string }[] = []
  const unknown = new Map<string, number>()
  let seen = 0
  return {
    read(id, read) {
      seen++
      try {
        for (const row of read()) {
          const { dropped: fields = [], ...kept } = row
          for (const field of fields) dropped.push({ id, field })
          rows.push(kept)
        }
      } catch (thrown) {
        if (!isRefusal(thrown)) throw thrown
        rejected.push({ id, reason: thrown.refused })
      }
    },
    check: (id, field) => toCheck.push({ id, field }),
    keys(value, known) {
      for (const key of Object.keys(value)) if (!known.has(key)) unknown.set(key, (unknown.get(key) ?? 0) + 1)
    },
    result: () => ({ rows, seen, rejected, dropped, toCheck, unknownKeys: Object.fromEntries([...unknown].sort()) }),
  }
}

/**
 * The JSON object that a feed must be.
 * @throws SwitchyardError `UPSTREAM_INVALID` for bytes that are not UTF-8, not JSON (an HTML page, a file cut in half), or no object.
 */
export function parseFeed(bytes: Uint8Array, name: string): Readonly<Record<string, unknown>> {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw new SwitchyardError('UPSTREAM_INVALID', `The ${name} feed is not JSON`, { cause })
  }
  const record = asRecord(value)
  if (record === undefined) throw new SwitchyardError('UPSTREAM_INVALID', `The ${name} feed is not a JSON object`)
  return record
}
