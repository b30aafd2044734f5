import { runCase } from './run-case.ts'
import type { Subject, Suite } from './suite.ts'

/** The part of a test runner that is needed: `test` of vitest, of node:test, of jest. */
export type Register = (name: string, run: () => Promise<void>) => unknown

/**
 * Registers one test per case, named by the case's id and promise:
 * `conformance(cacheSuite, subject, test)` with `test` from vitest.
 */
export function conformance<T, F>(suite: Suite<T, F>, subject: Subject<T, F>, test: Register): void {
  for (const testCase of suite.cases) {
    test(`${testCase.id}: ${testCase.promise}`, async () => {
      const { error } = await runCase(testCase, subject)
      if (error === undefined) return
      const failure = new Error(`${error.during === 'check' ? '' : `${error.during}: `}${error.message}`)
      if (error.stack !== undefined) failure.stack = error.stack
      throw failure
    })
  }
}
