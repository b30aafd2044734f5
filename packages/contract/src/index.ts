export {
  type Alternative,
  type Attributes,
  type Call,
  type Decision,
  deploymentOf,
  type Ending,
  type Handler,
  type Handlers,
  type Lasting,
  type Operation,
  type Operations,
  type Principal,
  type Reply,
  type Request,
  type Scopes,
  type Trace,
  type WellKnownAttributes,
} from './call.ts'
export { type ErrorCode, type ErrorOptions, SwitchyardError } from './error.ts'
export type { KernelEvents } from './events.ts'
export { namePattern } from './name-pattern.ts'
export {
  type Awaitable,
  CONTRACT,
  definePlugin,
  type Placement,
  type Plugin,
  type PluginDefinition,
  type PluginFactory,
  type SetupContext,
  type SetupResult,
} from './plugin.ts'
export { type Explained, type Next, type Policy, STAGES, type Stage } from './policy.ts'
export { definePort, type Gives, many, type Need, type Needs, optional, type Port, type Resolved } from './port.ts'
export {
  type Access,
  ADMIN_ROLES,
  type AdminRole,
  type AuthenticateOptions,
  access,
  type CredentialHeaders,
  type Identity,
  type IdentityClass,
  type IssuedKey,
  type KeyChange,
  type KeyFilter,
  type KeyInput,
  type KeyPatch,
  type KeyRecord,
  type Keys,
  keys,
} from './ports/access.ts'
export { type BudgetStanding, type Budgets, budgets, isUsedUp } from './ports/budgets.ts'
export { type Bus, bus } from './ports/bus.ts'
export { type Cache, type CacheChange, type CacheChanges, type CacheEntry, cache } from './ports/cache.ts'
export {
  type CounterChange,
  type CounterRow,
  type Counters,
  counters,
  type ExpiredLease,
  type Lease,
  type LeaseRenewal,
  type Reservation,
  type Settlement,
} from './ports/counters.ts'
export { type Embedder, embedder } from './ports/embedder.ts'
export { type Flights, flights, type Lead, type Listening } from './ports/flights.ts'
export { type Health, type HealthChange, type HealthState, health, type TargetHealth } from './ports/health.ts'
export {
  MODEL_ENDPOINTS,
  type ModelCard,
  type ModelEnding,
  type ModelEndpoint,
  type ModelProvider,
  type ModelReply,
  type ModelRequest,
  model,
  type Usage,
} from './ports/model.ts'
export { type Router, router } from './ports/router.ts'
export {
  type FreshAnswer,
  type SemanticCache,
  type SemanticFinding,
  type SemanticQuestion,
  type SemanticStanding,
  semanticCache,
} from './ports/semantic-cache.ts'
export { type Isolation, type SqlDatabase, type SqlQuery, type SqlResult, type SqlSession, sql } from './ports/sql.ts'
export {
  type RankedTarget,
  type Strategy,
  type StrategyCandidate,
  type StrategyKnowledge,
  type StrategyTarget,
  strategy,
} from './ports/strategy.ts'
export { type VectorIndex, type VectorItem, type VectorMatch, vectors } from './ports/vectors.ts'
export { quietTrace } from './quiet-trace.ts'
export type { CallOptions, Clock, Logger } from './runtime.ts'
export { isSecret, type Secret, secret } from './secret.ts'
