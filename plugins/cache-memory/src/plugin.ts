import { type Cache, type Counters, cache, counters, definePlugin, type PluginFactory, type Port } from '@switchyard/contract'
import { memoryCache } from './memory-cache.ts'
import { memoryCounters } from './memory-counters.ts'
import { type CacheMemoryInput, options } from './options.ts'

const provides: { readonly cache: Port<Cache>; readonly counters: Port<Counters> } = { cache, counters }

/** A cache and counters inside this process: for one process only, gone when it ends. Provides `cache` and `counters`. */
export const cacheMemory: PluginFactory<CacheMemoryInput> = definePlugin({
  name: '@switchyard/cache-memory',
  contract: 1,
  options,
  provides,
  setup({ options: given, clock, onClose }) {
    const { maxBytes, maxEntryBytes = Math.ceil(maxBytes / 8), maxCounters, maxLeases } = given
    const entries = memoryCache({ maxBytes, maxEntryBytes, clock })
    const rows = memoryCounters({ maxCounters, maxLeases, clock })
    onClose(() => {
      entries.clear()
      rows.clear()
    })
    return { ports: { cache: entries, counters: rows } }
  },
})
