export type { CacheRedisInput, RedisAddress } from './options.ts'
export { cacheRedis } from './plugin.ts'
