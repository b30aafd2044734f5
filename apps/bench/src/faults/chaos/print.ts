import { table } from '../../measure/table.ts'
import type { ChaosResult } from './chaos.ts'
import type { ChaosRow } from './summary.ts'

const HEAD = [
  'fault',
  'requests',
  'succeeded %',
  'cut, told',
  'silent cuts',
  'p50 ms',
  'p99 ms',
  'added p50',
  'added p99',
  'ejected after ms',
  'recovered after ms',
  'half share after ms',
  'attempts/request',
  'at the end',
  'targets met',
]

/** The table for people; what failed stands below it. */
export function printChaos({ rows, rate, seconds }: ChaosResult): void {
  console.log(`\nchaos: 3 targets behind one name, ${rate} requests/s for ${seconds} s, half of them streamed\n`)
  console.log(table(HEAD, rows.map(cells)))
  for (const { fault, failures } of rows) {
    const told = Object.entries(failures).map(([kind, count]) => `${count} x ${kind}`)
    if (told.length > 0) console.log(`${fault} failed: ${told.join(', ')}`)
  }
}

function cells(row: ChaosRow): readonly (string | number | undefined)[] {
  return [
    row.fault,
    String(row.requests),
    row.succeededPercent.toFixed(3),
    String(row.toldCuts),
    String(row.silentTruncations),
    row.p50Ms,
    row.p99Ms,
    row.addedP50Ms,
    row.addedP99Ms,
    row.outBefore ? 'before' : row.ejectedMs === undefined ? '-' : `${Math.round(row.ejectedMs)} (${row.ejectedBy})`,
    row.recoveredMs,
    row.halfShareMs,
    row.attemptsPerRequest.toFixed(4),
    row.endState,
    row.missed.length === 0 ? 'yes' : `no: ${row.missed.join(', ')}`,
  ]
}
