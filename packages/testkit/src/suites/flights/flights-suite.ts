import { type Flights, flights } from '@switchyard/contract'
import type { Suite } from '../../conformance/suite.ts'
import { joinCases } from './join-cases.ts'
import { joinMutants } from './join-mutants.ts'
import { leadCases } from './lead-cases.ts'
import { leadMutants } from './lead-mutants.ts'
import { listenCases } from './listen-cases.ts'
import { listenMutants } from './listen-mutants.ts'

/** What all flights promise, and flights that break each promise. That a leader dies is for the implementation's own tests. */
export const flightsSuite: Suite<Flights> = {
  port: flights,
  cases: [...joinCases, ...listenCases, ...leadCases],
  mutants: [...joinMutants, ...listenMutants, ...leadMutants],
}
