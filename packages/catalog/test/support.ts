import { completePrice, completer, type Entry, type StoredEntry, type StoredPrice } from '../src/index.ts'
import type { SourceRow } from '../src/merge/source-row.ts'

const { complete } = completer({ asOf: '2026-09-23' })

/** A whole entry out of the parts that a test cares for. */
export function entryOf(parts: Partial<StoredEntry> = {}): Entry {
  return complete({ provider: 'acme', model: 'm', ...parts })
}

/** An entry with these price rows; prices in USD per million tokens. */
export function priced(...rows: readonly (StoredPrice & { readonly usd?: Readonly<Record<string, number>> })[]): Entry {
  return entryOf({
    prices: rows.map(({ usd = {}, ...row }) => ({ ...row, perToken: { ...pico(usd), ...row.perToken } })),
  })
}

/** USD per million tokens as integer pico-USD per token. */
export function pico(usd: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(usd).map(([field, value]) => [field, Math.round(value * 1_000_000)]))
}

/** What one source says of `acme/m`; prices in USD per million tokens. */
export function rowOf(parts: Partial<SourceRow> & { readonly usd?: Readonly<Record<string, number>> }): SourceRow {
  const { usd, ...rest } = parts
  return {
    source: 'pi-catalog',
    asOf: '2026-09-23',
    provider: 'acme',
    model: 'm',
    ...(usd === undefined ? {} : { prices: [completePrice({ perToken: pico(usd) })] }),
    ...rest,
  }
}

/** The bytes of a feed. */
export function bytes(value: unknown): Uint8Array {
  return new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value))
}
