import type { Call } from '@switchyard/contract'
import type { KeptReply } from '../levels/kept-reply.ts'
import { file } from './file.ts'
import type { Lookup, LookupParts } from './lookup.ts'

/** Fetches replies anew while they are served. */
export interface Refresher {
  /** One call over the fleet, whoever asks for it. Waits for nothing. */
  refresh(lookup: Lookup): void
  /** Ahead of the expiry, the likelier the nearer it is and the longer the reply takes to make (XFetch: Vattani et al., VLDB 2015). */
  isDueEarly(kept: KeptReply): boolean
}

/** Beyond so many times the time that a reply takes, no draw comes out: e to the power of it. */
const FARTHEST = 8

/** Makes it. */
export function refresherOf(parts: LookupParts): Refresher {
  const { own, flight, clock, random } = parts
  const underWay = new Set<string>()
  return {
    isDueEarly({ freshUntil, tookMs }) {
      const left = freshUntil - clock.now()
      return left < tookMs * FARTHEST && -Math.log(1 - random()) * tookMs >= left
    },
    refresh(lookup) {
      const { call, next, kind, plan, mark } = lookup
      if (underWay.has(plan.key)) return
      underWay.add(plan.key)
      const startedAt = clock.monotonic()
      const work = async (refreshing: Call): Promise<void> => {
        const { role, frames } = await flight.fly(`${plan.key}|${plan.mode}|${mark ?? ''}|refresh`, {
          signal: refreshing.signal,
          lead: async (signal) => kind.frames(await next({ ...refreshing, signal })),
          landed: (all) => file(parts, lookup, refreshing, all, clock.monotonic() - startedAt, undefined),
        })
        // What another node fetches needs no listener here.
        for await (const _ of frames) if (role === 'listener') return
      }
      void own.make(call, 'refresh', work).finally(() => underWay.delete(plan.key))
    },
  }
}
