import { overAll } from './over-all.ts'
import { type CaseResult, runCase } from './run-case.ts'
import type { ConformanceCase, Subject, Suite } from './suite.ts'

/** What a run found; plain data, written as JSON by the CLI. */
export interface Report {
  readonly port: { readonly id: string; readonly version: number }
  readonly subject: string
  /** As the instance declared them; null where none could be opened. */
  readonly capabilities: unknown
  readonly cases: readonly CaseResult[]
  readonly passed: number
  readonly failed: number
}

export interface RunOptions {
  /** Case ids, or their beginnings up to a dot (`cache.set`). Default: all. */
  readonly only?: readonly string[]
  /** Real milliseconds that opening, checking and closing may take, each. Default 10,000. */
  readonly limitMs?: number
  /** Cases under way at once; whole, default 1. More is for subjects that wait for a server and share nothing between cases. */
  readonly concurrency?: number
  /** Told of each case as it ends. */
  readonly onCase?: (result: CaseResult) => void
}

/**
 * Runs a suite on a subject, each case on a fresh instance. Resolves also when cases fail.
 * @throws TypeError when `only` names no case.
 */
export async function runSuite<T, F>(suite: Suite<T, F>, subject: Subject<T, F>, options: RunOptions = {}): Promise<Report> {
  let capabilities: unknown = null
  const cases = await overAll(selected(suite, options.only), options.concurrency, async (testCase) => {
    const result = await runCase(testCase, subject, {
      ...(options.limitMs === undefined ? {} : { limitMs: options.limitMs }),
      onOpened({ instance }) {
        capabilities ??= (instance as { readonly capabilities?: unknown }).capabilities ?? null
      },
    })
    options.onCase?.(result)
    return result
  })
  const failed = cases.filter(({ status }) => status === 'failed').length
  const { id, version } = suite.port
  return { port: { id, version }, subject: subject.name, capabilities, cases, passed: cases.length - failed, failed }
}

function selected<T, F>(suite: Suite<T, F>, only: readonly string[] | undefined): readonly ConformanceCase<T, F>[] {
  if (only === undefined) return suite.cases
  const matches = (id: string, wanted: string): boolean => id === wanted || id.startsWith(`${wanted}.`)
  for (const wanted of only) {
    if (!suite.cases.some(({ id }) => matches(id, wanted))) {
      throw new TypeError(`no case of ${suite.port.id} is named ${JSON.stringify(wanted)}; list the cases to see their ids`)
    }
  }
  return suite.cases.filter(({ id }) => only.some((wanted) => matches(id, wanted)))
}
