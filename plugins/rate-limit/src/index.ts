export type { LimitExceeded } from './exceeded.ts'
export {
  type Dimension,
  type Limit,
  type LimitInput,
  type LimitMatch,
  type RateLimitInput,
  type RateLimitOptions,
  rateLimitOptions,
  type TokenLimit,
  type WhenStoreAway,
  type WindowLimit,
} from './options.ts'
export { rateLimit } from './plugin.ts'
