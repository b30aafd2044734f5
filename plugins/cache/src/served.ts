import type { Call } from '@switchyard/contract'

/** What a caller was answered with from the cache. */
export interface ServedReply {
  readonly key: string
  readonly level: string
  readonly partition: string
  readonly population: string | undefined
  readonly text: string | undefined
}

/** Which calls were answered with what of late, so that a caller can say that it was wrong. */
export interface Served {
  note(call: Pick<Call, 'id' | 'principal'>, reply: ServedReply): void
  /** Undefined where it is not known, or was another tenant's. */
  find(tenant: string, callId: string): ServedReply | undefined
  forget(tenant: string, callId: string): void
}

/** Keeps the last `most`, in arrays that never grow: every hit is noted, and few are ever asked for. */
export function servedReplies(most: number): Served {
  const ids = new Array<string>(most).fill('')
  const tenants = new Array<string>(most).fill('')
  const replies = new Array<ServedReply | undefined>(most).fill(undefined)
  let at = 0

  /** Callers may name their calls, and two tenants theirs alike. */
  function placeOf(tenant: string, callId: string): number {
    let place = callId === '' ? -1 : ids.indexOf(callId)
    while (place >= 0 && tenants[place] !== tenant) place = ids.indexOf(callId, place + 1)
    return place
  }

  return {
    note({ id, principal }, reply) {
      ids[at] = id
      tenants[at] = principal.tenant
      replies[at] = reply
      at = (at + 1) % most
    },
    find: (tenant, callId) => replies[placeOf(tenant, callId)],
    forget(tenant, callId) {
      const place = placeOf(tenant, callId)
      if (place >= 0) ids[place] = ''
    },
  }
}
