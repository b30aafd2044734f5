import { type VectorIndex, vectors } from '@switchyard/contract'
import type { Suite } from '../../conformance/suite.ts'
import { leavingCases } from './leaving-cases.ts'
import { leavingMutants } from './leaving-mutants.ts'
import { nearestCases } from './nearest-cases.ts'
import { nearestMutants } from './nearest-mutants.ts'
import { upsertCases } from './upsert-cases.ts'
import { upsertMutants } from './upsert-mutants.ts'

/** What every index of vectors promises, and indexes that break each promise. */
export const vectorsSuite: Suite<VectorIndex> = {
  port: vectors,
  cases: [...nearestCases, ...upsertCases, ...leavingCases],
  mutants: [...nearestMutants, ...upsertMutants, ...leavingMutants],
}
