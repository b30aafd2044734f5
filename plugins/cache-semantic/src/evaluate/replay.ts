import { cachedStream, type ReplayOptions } from './cached-stream.ts'
import type { Prepared } from './prepared.ts'
import { countedOver, type Tally } from './tally.ts'

/** What a replay came to. */
export interface Replayed {
  readonly all: Tally
  /** The last quarter of the stream. */
  readonly last: Tally
}

/** Replays a stream through an empty cache, the fuzzy level alone. The label is the judge and the truth. */
export function replay<V>(stream: readonly Prepared<V>[], options: ReplayOptions<V>): Replayed {
  const counted = countedOver(stream.length)
  const level = cachedStream(options, counted)
  for (const [at, request] of stream.entries()) {
    counted.count(at, 'requests')
    const { label } = level.look(at, request)
    if (label !== undefined && label !== request.label) counted.count(at, 'wrong')
  }
  return counted
}
