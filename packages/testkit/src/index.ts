export { systemClock } from './clock/system-clock.ts'
export { type VirtualClock, virtualClock } from './clock/virtual-clock.ts'
export { suiteProblems } from './conformance/check-suite.ts'
export { type JudgeOptions, judgeMutants, type MutantReport, type MutantVerdict } from './conformance/judge-mutants.ts'
export { conformance, type Register } from './conformance/register.ts'
export { rejectsWith } from './conformance/rejects-with.ts'
export { CASE_LIMIT_MS, type CaseError, type CaseResult } from './conformance/run-case.ts'
export { type Report, type RunOptions, runSuite } from './conformance/run-suite.ts'
export type { ConformanceCase, Mutant, Opened, Subject, Suite } from './conformance/suite.ts'
export { type PluginSubjectOptions, pluginSubject } from './plugin/plugin-subject.ts'
export { type LogRecord, type RecordingLogger, recordingLogger } from './plugin/recording-logger.ts'
export { type EmittedEvent, type StartedPlugin, type StartPluginOptions, startPlugin } from './plugin/start-plugin.ts'
export { busSuite } from './suites/bus/bus-suite.ts'
export { cacheSuite } from './suites/cache/cache-suite.ts'
export { countersSuite } from './suites/counters/counters-suite.ts'
export { healthSuite } from './suites/health/health-suite.ts'
export {
  type ModelFixture,
  type ModelNaming,
  type ModelSubjectOptions,
  modelSubject,
  openModelFixture,
} from './suites/model/model-fixture.ts'
export { modelSuite } from './suites/model/model-suite.ts'
export { routerSuite } from './suites/router/router-suite.ts'
export { sqlSuite } from './suites/sql/sql-suite.ts'
export { type AnySuite, suites } from './suites/suites.ts'
export { DEFAULT_TOKENS } from './upstream/answer.ts'
export { BIG_INTEGER } from './upstream/chat.ts'
export { type FakeUpstream, type FakeUpstreamOptions, startFakeUpstream } from './upstream/fake-upstream.ts'
export { FAULTS, type HonestEnding, type NamedFault } from './upstream/fault-catalogue.ts'
export { faultsOf, formatFault, parseFault } from './upstream/fault-text.ts'
export type { Fault, FaultInput, FaultPoint, FaultReach, UsageFlaw } from './upstream/faults.ts'
export type { Recorded } from './upstream/recorded.ts'
