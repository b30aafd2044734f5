import {
  type Bus,
  bus,
  type Cache,
  type Counters,
  cache,
  counters,
  definePlugin,
  type Flights,
  flights,
  type PluginFactory,
  type Port,
  type VectorIndex,
  vectors,
} from '@switchyard/contract'
import { memoryBus } from './memory-bus.ts'
import { memoryCache } from './memory-cache.ts'
import { memoryCounters } from './memory-counters.ts'
import { memoryFlights } from './memory-flights.ts'
import { memoryVectors } from './memory-vectors.ts'
import { type CacheMemoryInput, options } from './options.ts'

const provides: {
  readonly cache: Port<Cache>
  readonly counters: Port<Counters>
  readonly bus: Port<Bus>
  readonly flights: Port<Flights>
  readonly vectors: Port<VectorIndex>
} = {
  cache,
  counters,
  bus,
  flights,
  vectors,
}

/**
 * Shared state inside this process: for one process only, gone when it ends. Provides `cache`, `counters`, `bus`, `flights` and
 * `vectors`.
 */
export const cacheMemory: PluginFactory<CacheMemoryInput> = definePlugin({
  name: '@switchyard/cache-memory',
  contract: 1,
  options,
  provides,
  setup({ options: given, clock, random, log, onClose }) {
    const { maxBytes, maxEntryBytes = Math.ceil(maxBytes / 8), maxCounters, maxLeases, maxSubscriptions } = given
    const entries = memoryCache({ maxBytes, maxEntryBytes, clock, log, random })
    const rows = memoryCounters({ maxCounters, maxLeases, clock })
    const messages = memoryBus({ maxSubscriptions, log })
    const underWay = memoryFlights(given)
    const nearby = memoryVectors({ maxBytes: given.maxVectorBytes, clock })
    onClose(() => {
      entries.clear()
      rows.clear()
      messages.clear()
      underWay.clear()
      nearby.clear()
    })
    return { ports: { cache: entries, counters: rows, bus: messages, flights: underWay, vectors: nearby } }
  },
})
