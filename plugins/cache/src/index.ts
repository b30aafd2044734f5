export type { BypassPlan, BypassReason, Kept, Kind, LikenessPlan, Marks, Plan, WritePlan } from './kind.ts'
