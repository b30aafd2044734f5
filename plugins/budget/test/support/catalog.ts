import { type CatalogSource, completer, createCatalog, type Entry, type StoredEntry } from '@switchyard/catalog'

const { complete } = completer({ asOf: '2026-09-23' })

/** An entry out of the parts that a test cares for. */
export function entryOf(parts: Partial<StoredEntry>): Entry {
  return complete({ provider: 'acme', model: 'm', ...parts })
}

/**
 * `acme/m`: 2 USD in and 10 USD out a million tokens, cache reads at 0.2, writes at 2.5 and 4, audio at 40 and 80, twice that beyond 100,000
 * tokens and for priority, half for flex and batch; at most 1,000 tokens out. `acme/free` costs nothing, `acme/unpriced` nobody knows what, `acme/strong` ten times.
 */
export const ENTRIES: readonly Entry[] = [
  entryOf({
    limits: { context: 200_000, output: 1_000 },
    prices: [
      {
        perToken: {
          input: 2_000_000,
          output: 10_000_000,
          cacheRead: 200_000,
          cacheWrite5m: 2_500_000,
          cacheWrite1h: 4_000_000,
          audioIn: 40_000_000,
          audioOut: 80_000_000,
        },
      },
      { contextOver: 100_000, perToken: { input: 4_000_000, output: 20_000_000 } },
      { tier: 'priority', perToken: { input: 4_000_000, output: 20_000_000 } },
      { tier: 'flex', perToken: { input: 1_000_000, output: 5_000_000 } },
      { tier: 'batch', perToken: { input: 1_000_000, output: 5_000_000 } },
    ],
  }),
  entryOf({ model: 'free', free: true }),
  entryOf({ model: 'unpriced' }),
  entryOf({ model: 'strong', prices: [{ perToken: { input: 20_000_000, output: 100_000_000 } }] }),
  entryOf({ model: 'embed', kind: 'embedding', prices: [{ perToken: { input: 20_000 } }] }),
]

export function testCatalog(entries: readonly Entry[] = ENTRIES): CatalogSource {
  const catalog = createCatalog(entries, { version: 'test-1' })
  return { current: () => catalog }
}
