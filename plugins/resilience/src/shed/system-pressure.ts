import { performance } from 'node:perf_hooks'
import { getHeapStatistics } from 'node:v8'
import type { Measured } from './pressure.ts'
import type { PressureSettings } from './pressure-options.ts'
import { systemLoopDelay } from './system-loop-delay.ts'

/** What this process measures of itself. */
export interface SystemPressure {
  /** Costs some microseconds; what has no mark is not looked at and reads 0. */
  read(): Measured
  close(): void
}

/** Share of a new reading in the utilisation, so that one busy tenth of a second does not count for a state. */
const SMOOTHING = 0.3

/** Measures this process. `sockets` counts its open TCP sockets. */
export function systemPressure(settings: PressureSettings, sockets: () => number = openSockets): SystemPressure {
  const { loopUtilisationOn, heapShareOn, socketsOn } = settings
  const delay = systemLoopDelay()
  let before: ReturnType<typeof performance.eventLoopUtilization> | undefined
  let busy = 0
  const utilisation = (): number => {
    const now = performance.eventLoopUtilization()
    // What was before the first reading is the start of the process, which is busy with itself.
    if (before !== undefined) busy += (performance.eventLoopUtilization(now, before).utilization - busy) * SMOOTHING
    before = now
    return busy
  }
  return {
    read: () => ({
      loopDelayMs: delay.read(),
      loopUtilisation: loopUtilisationOn === false ? 0 : utilisation(),
      heapShare: heapShareOn === false ? 0 : heapShare(),
      sockets: socketsOn === false ? 0 : sockets(),
    }),
    close: () => delay.close(),
  }
}

function heapShare(): number {
  const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics()
  return used / limit
}

function openSockets(): number {
  let count = 0
  for (const resource of process.getActiveResourcesInfo()) if (resource === 'TCPSocketWrap') count++
  return count
}
