import type { Operation, Reply, SemanticFinding } from '@switchyard/contract'
import { alike } from './alike.ts'
import { file } from './file.ts'
import { fromStore, hit, isYoung, type Lookup, type LookupParts, levelOf } from './lookup.ts'

/** How whoever leads a flight comes to a reply. */
export interface Way {
  lead(signal: AbortSignal, isFirst: boolean): Promise<AsyncIterable<Uint8Array>>
  landed(frames: readonly Uint8Array[] | undefined): Promise<void> | undefined
  /** Whether upstream was asked. */
  isUpstream(): boolean
  /** Headers of the reply that came, from upstream or from what is stored; undefined where replies have none. */
  headers(): Readonly<Record<string, string>> | undefined
}

/** The way of one look-up behind the exact levels: once more the store, then likeness, then upstream, whose reply is stored. */
export function wayOf(parts: LookupParts, lookup: Lookup): Way {
  const { name, cache, clock } = parts
  const { call, next, kind, plan, counts } = lookup
  let finding: SemanticFinding | undefined
  let upstream = false
  let headers: Readonly<Record<string, string>> | undefined
  let startedAt = 0

  function framesOf(reply: Reply<Operation>): AsyncIterable<Uint8Array> {
    if ('headers' in reply) headers = reply.headers as Readonly<Record<string, string>>
    return kind.frames(reply)
  }

  return {
    isUpstream: () => upstream,
    headers: () => headers,
    async lead(signal, isFirst) {
      // Others may go on listening when the caller has left.
      const led: Lookup = { ...lookup, call: { ...call, signal } }
      if (plan.wish !== 'no-cache') {
        // Another flight may have landed since the levels were asked.
        const near = parts.near.get(plan.key, clock.now())
        const kept = near ?? (isFirst ? undefined : await fromStore(parts, lookup, signal))
        if (kept !== undefined && kept.freshUntil > clock.now() && isYoung(kept, plan, clock.now()))
          return framesOf(hit(parts, led, kept, near === undefined ? levelOf(cache) : 'l1'))
        const likely = await alike(parts, led, signal)
        if (likely.reply !== undefined) return framesOf(likely.reply)
        finding = likely.finding
      }
      counts.outcome('miss')
      call.trace.decide(name, 'miss')
      upstream = true
      startedAt = clock.monotonic()
      return framesOf(await next(led.call))
    },
    landed: (frames) => (upstream ? file(parts, lookup, call, frames, clock.monotonic() - startedAt, finding) : undefined),
  }
}
