import { cachedStream, type ReplayOptions } from './cached-stream.ts'
import type { Prepared } from './prepared.ts'
import type { Replayed } from './replay.ts'
import { countedOver } from './tally.ts'

/** A fleet with all three levels. */
export interface FleetOptions<V> extends ReplayOptions<V> {
  readonly nodes: number
  /** Texts that each node keeps; the least recently used goes. */
  readonly l1Entries: number
}

/**
 * Replays a stream through nodes picked at random, each with an exact level of its own, before an exact and a fuzzy level that all share.
 * Only fresh answers become exact entries, so that an unverified hit is never repeated by them.
 */
export function replayFleet<V>(stream: readonly Prepared<V>[], options: FleetOptions<V>): Replayed {
  const { random, nodes, l1Entries } = options
  const counted = countedOver(stream.length)
  const level = cachedStream(options, counted)
  const shared = new Map<string, string>()
  const own = Array.from({ length: nodes }, () => new Map<string, string>())
  for (const [at, request] of stream.entries()) {
    counted.count(at, 'requests')
    const { text } = request.question
    const node = own[Math.floor(random() * nodes)] as Map<string, string>
    const kept = node.get(text) ?? shared.get(text)
    let answer = kept
    if (kept !== undefined) {
      counted.count(at, node.has(text) ? 'l1' : 'l2')
      level.exact()
    } else {
      const served = level.look(at, request)
      answer = served.label
      if (served.fresh) shared.set(text, request.label)
    }
    if (answer !== undefined && answer !== request.label) counted.count(at, 'wrong')
    const exact = shared.get(text)
    if (exact !== undefined) keep(node, text, exact, l1Entries)
  }
  return counted
}

function keep(node: Map<string, string>, text: string, answer: string, most: number): void {
  node.delete(text)
  node.set(text, answer)
  if (node.size > most) node.delete(node.keys().next().value as string)
}
