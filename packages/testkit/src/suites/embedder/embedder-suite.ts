import { type Embedder, embedder } from '@switchyard/contract'
import type { Suite } from '../../conformance/suite.ts'
import { embedderCases } from './embedder-cases.ts'
import { embedderMutants } from './embedder-mutants.ts'

/** What all embedders promise, and embedders that break each promise. */
export const embedderSuite: Suite<Embedder> = { port: embedder, cases: embedderCases, mutants: embedderMutants }
