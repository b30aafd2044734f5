import assert from 'node:assert/strict'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Cache, CacheChange, CacheChanges } from '@switchyard/contract'
import type { Opened } from '../../conformance/suite.ts'

/** How long a cache may take to know what goes on in its store, on a clock that goes by itself. */
const PATIENCE_MS = 3000
const STEP_MS = 10
/** After as long without another change, none is taken to be under way. */
const QUIET_MS = 50

async function pass(opened: Opened<Cache>, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += STEP_MS) {
    await opened.advance(STEP_MS)
    await nextTurn()
  }
}

/** The mark of these tags, waited for where it cannot be told yet. */
export async function markOf(opened: Opened<Cache>, tags: readonly string[]): Promise<string> {
  for (let passed = 0; passed < PATIENCE_MS; passed += STEP_MS) {
    const mark = opened.instance.mark?.(tags)
    if (mark !== undefined) return mark
    await pass(opened, STEP_MS)
  }
  assert.fail(`no mark of ${JSON.stringify(tags)} within ${PATIENCE_MS} ms`)
}

/** The changes, once they are current. */
export async function currentChanges(opened: Opened<Cache>): Promise<CacheChanges> {
  const { changes } = opened.instance
  assert.ok(changes !== undefined, 'there are no changes')
  for (let passed = 0; passed < PATIENCE_MS; passed += STEP_MS) {
    if (changes.current()) return changes
    await pass(opened, STEP_MS)
  }
  assert.fail(`the changes were not current within ${PATIENCE_MS} ms`)
}

/** What a listener was told, in order, and its end. */
export interface Told {
  readonly told: readonly CacheChange[]
  end(): void
}

/** Listens, and writes down what is told. */
export function noting(changes: CacheChanges): Told {
  const told: CacheChange[] = []
  return { told, end: changes.listen((change) => void told.push(change)) }
}

/** Lets pass as long as a change may be under way. */
export function quiet(opened: Opened<Cache>): Promise<void> {
  return pass(opened, QUIET_MS)
}
