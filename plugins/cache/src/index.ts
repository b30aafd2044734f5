export { type CacheAdmin, type CacheReport, cacheAdmin, type Invalidated, type Invalidation } from './admin/port.ts'
export type { Outcome, Tally } from './counts.ts'
export type { BypassPlan, BypassReason, Kept, Kind, LikenessPlan, Marks, Plan, WritePlan } from './kind.ts'
