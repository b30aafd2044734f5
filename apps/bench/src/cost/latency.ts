import { performance } from 'node:perf_hooks'
import {
  dataHashOf,
  decider,
  fitRouter,
  type OutcomeSet,
  parseArtefact,
  randomHalf,
  routerArtefact,
} from '@switchyard/routing/learned'
import { percentile } from '../measure/statistics.ts'

/** What a decision costs the request that waits for it, by a router of so many learned rows. */
export interface LatencyRow {
  readonly set: string
  readonly examples: number
  readonly arms: number
  readonly decisions: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly artefactBytes: number
  readonly loadMs: number
}

const TARGET = 0.99
const ROUNDS = 3

/**
 * Times decisions on prompts that the router has not seen, by an artefact written out and read back. A prompt counts with its
 * shortest of three rounds: what the work itself takes, whatever else the machine did meanwhile.
 */
export function decisionLatency(set: OutcomeSet, examples: number): LatencyRow {
  const { train, test } = randomHalf(set, 7)
  const rows = [...train, ...test]
  const kept = rows.slice(0, Math.min(examples, rows.length - 200))
  const asked = rows.slice(kept.length, kept.length + 3_000)
  const stamp = { createdAt: '2026-01-01T00:00:00.000Z', dataHash: dataHashOf({ ...set, rows: set.rows.slice(0, 1) }) }
  const text = JSON.stringify(routerArtefact(set, fitRouter(set, kept), TARGET, stamp))
  const before = performance.now()
  const decide = decider(parseArtefact(JSON.parse(text)))
  const loadMs = performance.now() - before
  const times = asked.map(() => Number.POSITIVE_INFINITY)
  for (let round = 0; round < ROUNDS; round += 1)
    asked.forEach((row, at) => {
      const prompt = set.rows[row]?.prompt ?? ''
      const start = performance.now()
      decide({ prompt })
      times[at] = Math.min(times[at] ?? 0, performance.now() - start)
    })
  return {
    set: set.name,
    examples: kept.length,
    arms: (JSON.parse(text) as { readonly arms: readonly unknown[] }).arms.length,
    decisions: times.length,
    p50Ms: percentile(times, 50),
    p99Ms: percentile(times, 99),
    artefactBytes: text.length,
    loadMs,
  }
}
