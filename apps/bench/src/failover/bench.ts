import { loadavg } from 'node:os'
import { table, writeJson } from '../measure/table.ts'
import { type FailoverRun, runFailover } from './run.ts'
import { TOPOLOGIES, type TopologyName } from './topologies.ts'

export interface FailoverBenchOptions {
  /** Kills of each topology. */
  readonly rounds: number
  readonly only?: readonly TopologyName[]
  readonly json?: string
}

/**
 * `pnpm bench failover`: kills the master of Sentinel and of a Redis Cluster under two nodes with the cache policy, which answer and
 * invalidate meanwhile. Sets the exit code where a request failed or an answer was out of date.
 */
export async function failoverBench({
  rounds,
  only = TOPOLOGIES,
  json,
}: FailoverBenchOptions): Promise<readonly FailoverRun[]> {
  const runs: FailoverRun[] = []
  for (const topology of only) {
    for (let round = 0; round < rounds; round += 1) {
      runs.push(await runFailover(topology))
      console.error(`load ${loadavg()[0]?.toFixed(1)}: ${topology}, kill ${round + 1} of ${rounds}`)
    }
  }
  console.log(print(runs))
  for (const { topology, failures } of runs) {
    for (const why in failures) console.log(`${topology}: ${failures[why]} requests failed: ${why}`)
  }
  const missed = runs.filter(({ failed, stale }) => failed > 0 || stale > 0)
  console.log(
    missed.length === 0
      ? '\ntargets met: no request failed, no answer was out of date'
      : `\nmissed in ${missed.length} of ${runs.length} runs`,
  )
  if (missed.length > 0) process.exitCode = 1
  if (json !== undefined) await writeJson(json, { rows: runs })
  return runs
}

function print(runs: readonly FailoverRun[]): string {
  return table(
    [
      ...['topology', 'requests', 'failed', 'stale', 'recovery ms', 'invalidations', 'refused'],
      ...['hits before %', 'away %', 'after %', 'p99 before ms', 'away ms', 'slowest ms'],
    ],
    runs.map((run) => [
      ...[run.topology, run.requests, run.failed, run.stale, run.recoveryMs, run.invalidations, run.refused],
      ...[run.hitPercent.before, run.hitPercent.away, run.hitPercent.after, run.p99Ms.before, run.p99Ms.away, run.slowestMs],
    ]),
  )
}
