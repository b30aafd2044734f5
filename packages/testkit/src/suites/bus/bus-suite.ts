import { type Bus, bus } from '@switchyard/contract'
import type { Suite } from '../../conformance/suite.ts'
import { publishCases } from './publish-cases.ts'
import { publishMutants } from './publish-mutants.ts'
import { subscribeCases } from './subscribe-cases.ts'
import { subscribeMutants } from './subscribe-mutants.ts'

/** What every bus promises, and buses that break each promise. */
export const busSuite: Suite<Bus> = {
  port: bus,
  cases: [...publishCases, ...subscribeCases],
  mutants: [...publishMutants, ...subscribeMutants],
}
