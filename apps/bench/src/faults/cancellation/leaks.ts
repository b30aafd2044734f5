/** What a gateway process holds, when nothing is under way. */
export interface Snapshot {
  /** Handles and requests of the event loop by type, such as `TCPSocketWrap` and `Timeout`. */
  readonly resources: Readonly<Record<string, number>>
  /** Of the kernel. */
  readonly callsInFlight: number
  /** Attempts under way by the count of the port `health`. */
  readonly inFlight: number
  /** Warnings of the process so far: too many listeners are one. */
  readonly warnings: number
  /** After a collection. */
  readonly heapBytes: number
}

export interface LeakCheck {
  readonly aborts: number
  readonly before: Snapshot
  readonly after: Snapshot
  readonly heapBytesPerAbort: number
  /** What is left over; empty where nothing is. */
  readonly leaks: readonly string[]
}

/** What collections and caches of the runtime move the heap by, a call; a leaked timer, listener or socket holds a whole call. */
const MOST_BYTES_PER_ABORT = 300

/** Compares what a process held before and after so many aborts. Pure. */
export function leakCheck(before: Snapshot, after: Snapshot, aborts: number): LeakCheck {
  const heapBytesPerAbort = (after.heapBytes - before.heapBytes) / aborts
  const more = (what: string, was: number, is: number): readonly string[] => (is > was ? [`${what}: ${was} -> ${is}`] : [])
  const leaks = [
    ...Object.entries(after.resources).flatMap(([name, count]) => more(name, before.resources[name] ?? 0, count)),
    ...more('calls in flight', 0, after.callsInFlight),
    ...more('attempts in flight', 0, after.inFlight),
    ...more('warnings', before.warnings, after.warnings),
    ...(heapBytesPerAbort > MOST_BYTES_PER_ABORT ? [`heap: ${Math.round(heapBytesPerAbort)} bytes an abort`] : []),
  ]
  return { aborts, before, after, heapBytesPerAbort, leaks }
}
