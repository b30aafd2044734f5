import { table } from '../../measure/table.ts'
import type { CancellationResult } from './cancellation.ts'

/** The tables for people. */
export function printCancellation({ rows, check }: CancellationResult): void {
  console.log(
    '\ncancellation: from the client leaving until the upstream socket was closed, or the call over where there is none\n',
  )
  console.log(
    table(
      ['client left', 'until the end of', 'aborts', 'timed', 'hung', 'p50 ms', 'p99 ms', 'max ms'],
      rows.map((row) => [
        row.phase,
        row.until,
        String(row.aborts),
        String(row.timed),
        String(row.hung),
        row.p50Ms,
        row.p99Ms,
        row.maxMs,
      ]),
    ),
  )
  const { before, after } = check
  const names = [...new Set([...Object.keys(before.resources), ...Object.keys(after.resources)])].sort()
  console.log(`\nheld by the gateway's process before and after ${check.aborts} aborts\n`)
  console.log(
    table(
      ['what', 'before', 'after'],
      [
        ...names.map((name) => [name, String(before.resources[name] ?? 0), String(after.resources[name] ?? 0)]),
        ['calls in flight', String(before.callsInFlight), String(after.callsInFlight)],
        ['attempts in flight', String(before.inFlight), String(after.inFlight)],
        ['warnings', String(before.warnings), String(after.warnings)],
        ['heap MB', (before.heapBytes / 1e6).toFixed(2), (after.heapBytes / 1e6).toFixed(2)],
      ],
    ),
  )
  console.log(`heap: ${Math.round(check.heapBytesPerAbort)} bytes an abort`)
  console.log(`left over: ${check.leaks.length === 0 ? 'nothing' : check.leaks.join('; ')}`)
}
