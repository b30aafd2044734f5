import { monitorEventLoopDelay } from 'node:perf_hooks'

/** How late the event loop is. */
export interface LoopDelay {
  /** 99th percentile of the last second or so, in ms. */
  read(): number
  close(): void
}

/** Node's own timer runs at this interval, in ms, and counts it in. */
const RESOLUTION_MS = 10
/** Reads after which the past is forgotten. A reset loses the delay that is running, so it must not come at every read. */
const READS_KEPT = 10

/** Measures this process: it costs a timer inside Node, which does not keep the process alive, and no JavaScript. */
export function systemLoopDelay(): LoopDelay {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  histogram.enable()
  return loopDelayOf(histogram)
}

/** Reads a histogram of Node's, which holds nanoseconds. */
export function loopDelayOf(
  histogram: Pick<ReturnType<typeof monitorEventLoopDelay>, 'count' | 'percentile' | 'reset' | 'disable'>,
): LoopDelay {
  let reads = 0
  let last = 0
  return {
    read() {
      if (histogram.count > 0) last = Math.max(0, histogram.percentile(99) / 1e6 - RESOLUTION_MS)
      if (++reads >= READS_KEPT) {
        reads = 0
        histogram.reset()
      }
      return last
    },
    close: () => void histogram.disable(),
  }
}
