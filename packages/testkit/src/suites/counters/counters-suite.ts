import { type Counters, counters } from '@switchyard/contract'
import type { Suite } from '../../conformance/suite.ts'
import { changeCases } from './change-cases.ts'
import { changeMutants } from './change-mutants.ts'
import { expectedCases } from './expected-cases.ts'
import { expectedMutants } from './expected-mutants.ts'
import { expiredCases } from './expired-cases.ts'
import { expiredMutants } from './expired-mutants.ts'
import { leaseCases } from './lease-cases.ts'
import { leaseMutants } from './lease-mutants.ts'
import { renewCases } from './renew-cases.ts'
import { renewMutants } from './renew-mutants.ts'
import { reserveCases } from './reserve-cases.ts'
import { reserveMutants } from './reserve-mutants.ts'
import { windowCases } from './window-cases.ts'
import { windowMutants } from './window-mutants.ts'

/** What all counters promise, and counters that break each promise. */
export const countersSuite: Suite<Counters> = {
  port: counters,
  cases: [...reserveCases, ...leaseCases, ...windowCases, ...changeCases, ...expectedCases, ...expiredCases, ...renewCases],
  mutants: [
    ...reserveMutants,
    ...leaseMutants,
    ...windowMutants,
    ...changeMutants,
    ...expectedMutants,
    ...expiredMutants,
    ...renewMutants,
  ],
}
