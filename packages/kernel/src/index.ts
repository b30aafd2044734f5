export { checkAssembly } from './assembly/check.ts'
export type { Arity, Assembly } from './assembly/graph.ts'
export { type CheckedOptions, checkOptions } from './assembly/options-check.ts'
export { systemClock } from './clock.ts'
export {
  formatInspection,
  type InspectedInstance,
  type InspectedOperation,
  type Inspection,
  type KernelState,
} from './inspect.ts'
export { type Kernel, startKernel } from './kernel.ts'
export type { Health } from './lifecycle/health.ts'
export type { ExplainedDecision, Explanation } from './pipeline/explain.ts'
export type { CallerSignal, CallInit } from './pipeline/flight.ts'
export type { Problem } from './problem.ts'
export type { KernelOptions } from './runtime.ts'
