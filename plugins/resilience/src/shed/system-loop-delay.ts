import { monitorEventLoopDelay } from 'node:perf_hooks'

/** How late the event loop is. */
export interface LoopDelay {
  /**
   * 90th percentile of the last second or so, in ms, and never what happened once alone: a single pause, of which a second has a hundred
   * chances, says nothing of the next.
   */
  read(): number
  close(): void
}

/** Node's own timer runs at this interval, in ms, and counts it in. */
const RESOLUTION_MS = 10
const QUANTILE = 90
/** Fewer say more of one pause than of the loop. */
const LEAST_SAMPLES = 4
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
  // The first read only begins: what was before it is the start of the process, which is busy with itself.
  let reads = READS_KEPT
  let last = 0
  return {
    read() {
      const begun = reads < READS_KEPT
      const { count } = histogram
      if (begun && count >= LEAST_SAMPLES) {
        const quantile = Math.min(QUANTILE, (100 * (count - 1)) / count)
        last = Math.max(0, histogram.percentile(quantile) / 1e6 - RESOLUTION_MS)
      }
      if (++reads >= READS_KEPT) {
        reads = 0
        histogram.reset()
      }
      return last
    },
    close: () => void histogram.disable(),
  }
}
