import { z } from 'zod'

const MIB = 1024 * 1024

/** What a user gives; every field may be left out. */
export interface CacheMemoryInput {
  /** Bytes that all cache entries together may take, 64 MiB unless told otherwise; beyond it the least recently used go. */
  maxBytes?: number | undefined
  /** Bytes that one entry may take, at most `maxBytes`, an eighth of it unless told otherwise; a larger one is `TOO_LARGE`. */
  maxEntryBytes?: number | undefined
  /** Counter rows held at once, 1,000,000 unless told otherwise; a reserve that would start another is `OVERLOADED`. */
  maxCounters?: number | undefined
  /** Leases held at once, each until it expires, 1,000,000 unless told otherwise; a reserve beyond it is `OVERLOADED`. */
  maxLeases?: number | undefined
  /** Subscriptions of the bus at once, 10,000 unless told otherwise; a `subscribe` beyond it is `OVERLOADED`. */
  maxSubscriptions?: number | undefined
  /** Flights under way at once, 100,000 unless told otherwise; a `join` that would start another is `OVERLOADED`. */
  maxFlights?: number | undefined
  /** Bytes that one flight may hand over, 8 MiB unless told otherwise; beyond it `append` is `TOO_LARGE`. */
  maxFlightBytes?: number | undefined
  /**
   * Bytes that all vectors together may take, 128 MiB unless told otherwise and at most 4 GiB: beyond it the least recently used
   * partitions go. One partition may take half of it.
   */
  maxVectorBytes?: number | undefined
}

/** What the plugin works with. */
export interface CacheMemoryOptions {
  maxBytes: number
  maxEntryBytes?: number | undefined
  maxCounters: number
  maxLeases: number
  maxSubscriptions: number
  maxFlights: number
  maxFlightBytes: number
  maxVectorBytes: number
}

/** Options of `cacheMemory`. */
export const options: z.ZodType<CacheMemoryOptions, CacheMemoryInput> = z
  .strictObject({
    maxBytes: z
      .int()
      .positive()
      .default(64 * MIB)
      .describe('Bytes that all cache entries together may take; beyond it the least recently used go.'),
    maxEntryBytes: z
      .int()
      .positive()
      .optional()
      .describe(
        'Bytes that one entry may take, at most maxBytes; a larger one is TOO_LARGE. An eighth of maxBytes if left out.',
      ),
    maxCounters: z
      .int()
      .positive()
      .default(1_000_000)
      .describe('Counter rows held at once; a reserve that would start another is OVERLOADED.'),
    maxLeases: z
      .int()
      .positive()
      .default(1_000_000)
      .describe('Leases held at once, each until it expires; a reserve beyond it is OVERLOADED.'),
    maxSubscriptions: z
      .int()
      .positive()
      .default(10_000)
      .describe('Subscriptions of the bus at once; a subscribe beyond it is OVERLOADED.'),
    maxFlights: z
      .int()
      .positive()
      .default(100_000)
      .describe('Flights under way at once; a join that would start another is OVERLOADED.'),
    maxFlightBytes: z
      .int()
      .positive()
      .default(8 * MIB)
      .describe('Bytes that one flight may hand over; beyond it append is TOO_LARGE.'),
    maxVectorBytes: z
      .int()
      .positive()
      .max(4096 * MIB)
      .default(128 * MIB)
      .describe(
        'Bytes that all vectors together may take; beyond it the least recently used partitions go. One partition may take half of it.',
      ),
  })
  .refine(({ maxBytes, maxEntryBytes }) => maxEntryBytes === undefined || maxEntryBytes <= maxBytes, {
    path: ['maxEntryBytes'],
    error: 'must not pass maxBytes: no such entry could ever fit',
  })
