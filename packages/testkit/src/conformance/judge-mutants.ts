import { suiteProblems } from './check-suite.ts'
import { overAll } from './over-all.ts'
import { runCase } from './run-case.ts'
import { type Report, runSuite } from './run-suite.ts'
import type { Mutant, Subject, Suite } from './suite.ts'

/** One mutant's fate. */
export interface MutantVerdict {
  readonly mutant: string
  readonly killedBy: string
  /** `not-judged`: the subject does not declare what the case hangs on, so this subject cannot tell. */
  readonly verdict: 'killed' | 'survived' | 'not-judged'
  /** What the case said when it killed it. */
  readonly message?: string
}

export interface MutantReport {
  readonly port: { readonly id: string; readonly version: number }
  readonly subject: string
  readonly verdicts: readonly MutantVerdict[]
  /** All that stands against the suite, one sentence each; empty when every mutant that could be judged was killed. */
  readonly problems: readonly string[]
}

export interface JudgeOptions {
  /** Real milliseconds that opening, checking and closing may take, each. Default 10,000. */
  readonly limitMs?: number
  /** What a run of the whole suite over this subject found. Default: it is run. */
  readonly baseline?: Report
  /** Cases, and then mutants, under way at once: see `runSuite`. */
  readonly concurrency?: number
  /** Told of each mutant as it is judged. */
  readonly onVerdict?: (verdict: MutantVerdict) => void
}

/**
 * Shows that a suite can fail. The subject must pass the whole suite first; then each mutant of it must fail the check of the case
 * meant for it. Well-formed ids and a mutant for every case are part of it. Resolves also when mutants survive.
 */
export async function judgeMutants<T, F>(
  suite: Suite<T, F>,
  subject: Subject<T, F>,
  options: JudgeOptions = {},
): Promise<MutantReport> {
  const { id, version } = suite.port
  const limit = options.limitMs === undefined ? {} : { limitMs: options.limitMs }
  const problems = [...suiteProblems(suite)]
  const { concurrency = 1 } = options
  let verdicts: readonly MutantVerdict[] = []
  const right = options.baseline ?? (await runSuite(suite, subject, { ...limit, concurrency }))
  for (const { id: failed, status, error } of right.cases) {
    if (status === 'failed')
      problems.push(`${subject.name} itself fails ${failed}, so it cannot judge mutants: ${error?.message}`)
  }
  if (right.failed === 0) {
    const undeclared = new Set(right.cases.filter(({ ran }) => ran === 'undeclared').map((result) => result.id))
    const judged = await overAll(suite.mutants, concurrency, async (mutant): Promise<MutantVerdict | undefined> => {
      const testCase = suite.cases.find((candidate) => candidate.id === mutant.killedBy)
      if (testCase === undefined) return undefined
      const result = await runCase(testCase, mutated(subject, mutant), limit)
      const { name, killedBy } = mutant
      if (result.error !== undefined && result.error.during === 'open') {
        problems.push(`mutant ${name} could not be opened, which kills nothing: ${result.error.message}`)
      }
      const killed = result.error?.during === 'check'
      const spared = undeclared.has(killedBy) ? 'not-judged' : 'survived'
      const verdict: MutantVerdict = killed
        ? { mutant: name, killedBy, verdict: 'killed', message: result.error?.message ?? '' }
        : { mutant: name, killedBy, verdict: spared }
      if (verdict.verdict === 'survived') problems.push(`mutant ${name} survived ${killedBy}`)
      options.onVerdict?.(verdict)
      return verdict
    })
    verdicts = judged.filter((verdict) => verdict !== undefined)
  }
  return { port: { id, version }, subject: subject.name, verdicts, problems }
}

function mutated<T, F>(subject: Subject<T, F>, mutant: Mutant<T, F>): Subject<T, F> {
  return {
    name: `${subject.name} (${mutant.name})`,
    async open() {
      const right = await subject.open()
      try {
        return {
          instance: mutant.mutate(right.instance, right),
          now: () => right.now(),
          advance: (ms) => right.advance(ms),
          fixture: right.fixture,
          close: () => right.close(),
        }
      } catch (error) {
        await right.close()
        throw error
      }
    },
  }
}
