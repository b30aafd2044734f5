import type { NearestIndex } from './nearest.ts'
import type { Prepared } from './prepared.ts'
import { countedOver, type Tally } from './tally.ts'

/** Serves whatever is at least so alike; what other caches do. Misses are stored, hits are not. */
export function replayThreshold<V>(stream: readonly Prepared<V>[], threshold: number, index: NearestIndex<V>): Tally {
  const counted = countedOver(stream.length)
  const labels: string[] = []
  for (const [at, { vector, label }] of stream.entries()) {
    counted.count(at, 'requests')
    const [nearest] = index.nearest(vector, 1)
    if (nearest !== undefined && nearest.similarity >= threshold) {
      counted.count(at, 'l3')
      if (labels[nearest.id] !== label) counted.count(at, 'wrong')
      continue
    }
    index.add(vector)
    labels.push(label)
  }
  return counted.all
}

/** A threshold with what it came to. */
export interface Hindsight {
  readonly threshold: number
  readonly tally: Tally
}

const FINEST = 0.02

/**
 * The best threshold for each bound, on a grid of 0.02, known only after the whole stream was seen: the lowest whose wrong answers stay
 * within it. Found by halving, since fewer are wrong the higher it is.
 */
export function bestThresholds<V>(
  stream: readonly Prepared<V>[],
  epsilons: readonly number[],
  index: () => NearestIndex<V>,
): readonly Hindsight[] {
  const tried = new Map<number, Tally>()
  const at = (step: number): Tally => {
    const known = tried.get(step) ?? replayThreshold(stream, step * FINEST, index())
    tried.set(step, known)
    return known
  }
  return epsilons.map((epsilon) => {
    let low = 5
    let high = Math.round(1 / FINEST) + 1
    while (low < high) {
      const middle = (low + high) >> 1
      const { wrong, requests } = at(middle)
      if (wrong <= epsilon * requests) high = middle
      else low = middle + 1
    }
    return { threshold: low * FINEST, tally: at(low) }
  })
}
