export type { CacheMemoryInput } from './options.ts'
export { cacheMemory } from './plugin.ts'
