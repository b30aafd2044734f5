export { type AcquireOptions, acquireService, notRunLine } from './acquire.ts'
export { CERTIFIED_USER, makeCertificates } from './certificates.ts'
export type { NotRun, Outcome, Ready, ServiceName } from './contract.ts'
export { postgresForTests, privatePostgres } from './for-tests.ts'
export type { PrivateOptions, PrivatePostgres } from './postgres.ts'
export type { PrivateRedis } from './redis.ts'
export {
  type PrivateCluster,
  type PrivateSentinels,
  privateRedis,
  privateRedisCluster,
  privateRedisSentinels,
  redisForTests,
} from './redis-for-tests.ts'
export { SERVICE_NAMES } from './table.ts'
