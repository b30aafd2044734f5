import { readFileSync, writeFileSync } from 'node:fs'
import type { Reporter, TestModule, TestSuite } from 'vitest/node'

/** What a test run came to. */
export interface Counts {
  readonly passed: number
  /** Failed tests, files and suites that broke outside a test, and errors that nobody handled. */
  readonly failed: number
  readonly skipped: number
  /** Why tests were skipped, where they said so, with how many of them. */
  readonly notes: Readonly<Record<string, number>>
}

/** Writes the counts of a vitest run to `file`, as JSON, at its end. */
export function countReporter(file: string): Reporter {
  return {
    onTestRunEnd(modules, unhandledErrors) {
      writeFileSync(file, JSON.stringify(countTests(modules, unhandledErrors.length)))
    },
  }
}

/** Undefined where the run never came to its end. */
export function readCounts(file: string): Counts | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Counts
  } catch {
    return undefined
  }
}

function countTests(modules: readonly TestModule[], unhandled: number): Counts {
  const notes: Record<string, number> = {}
  let passed = 0
  let failed = unhandled
  let skipped = 0
  for (const module of modules) {
    failed += brokenOutsideTests(module)
    for (const suite of module.children.allSuites()) failed += brokenOutsideTests(suite)
    for (const test of module.children.allTests()) {
      const result = test.result()
      if (result.state === 'passed') passed++
      else if (result.state === 'failed') failed++
      else {
        skipped++
        const note = 'note' in result ? result.note : undefined
        if (note !== undefined) notes[note] = (notes[note] ?? 0) + 1
      }
    }
  }
  return { passed, failed, skipped, notes }
}

function brokenOutsideTests(task: TestModule | TestSuite): number {
  return task.errors().length > 0 ? 1 : 0
}
