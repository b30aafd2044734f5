export { type AnswerKind, canonicalAnswer, canonicalName, proposedCalls } from './answers.ts'
export { ARM_DEFAULTS, type Arm, type ArmOptions, type ArmTable, armTable } from './arms.ts'
export {
  ARTEFACT_SCHEMA,
  type ArtefactStamp,
  curveOf,
  parseArtefact,
  posteriorOf,
  type RouterArtefact,
  routerArtefact,
} from './artefact.ts'
export { type Calibration, type Candidates, type CurvePoint, calibrate, candidatesOf, type Policy } from './calibrate.ts'
export { type OfferedFunction, passesSchema } from './call-schema.ts'
export type { CallValue, ProposedCall } from './call-syntax.ts'
export { type Choice, type ChoiceReason, type ChoiceRule, chooseArm } from './choice.ts'
export { type CallTokens, callTokens, costPico, estimatedTokens, withTokens } from './costing.ts'
export { dataHashOf } from './data-hash.ts'
export { type CascadeSpec, type DatasetSpec, parseDatasetSpec, parseDatasetSpecs } from './dataset-spec.ts'
export { type Decider, type Decision, decider, type Question } from './decide.ts'
export { armRows, bootstrap, type Interval, oracleRows, type Result, resultOf, routeRows, type Served } from './evaluate.ts'
export { FIT_DEFAULTS, type FitOptions, type Fitted, fitRouter, MIN_FIT_ROWS, modelsOf, termsOfSet } from './fit.ts'
export { randomHalf, statedHalf } from './halves.ts'
export { outcomeLines, outcomeSetName } from './outcome-lines.ts'
export { type Outcome, type OutcomeRow, type OutcomeSet, parseOutcomes } from './outcomes.ts'
export { type Estimate, type Estimator, estimator, fitPosterior, NEIGHBOURS, type Posterior } from './posterior.ts'
export { placeOf, seeded } from './seeded.ts'
export { type Comparison, compareStrategies, type Split, STRATEGIES, type StrategyLabel } from './strategies.ts'
export { type EconomyRow, economyRows, MACRO, medianOf } from './summary.ts'
export { comparableKinds, type RequestShape, type TaskClass, taskClassOf } from './task-class.ts'
export {
  indexOfTerms,
  type Neighbour,
  type TermIndex,
  type TermSearch,
  type TermVector,
  termIndex,
  termSearch,
} from './term-index.ts'
export { TERM_BUCKETS, termsOf } from './terms.ts'
export {
  type EvidenceNorm,
  type GuardVerdict,
  type TrafficGuard,
  type TrafficGuardOptions,
  trafficGuard,
} from './traffic-guard.ts'
