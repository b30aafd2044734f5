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
  forget(callId: string): void
}

/** Keeps the last `most`, in arrays that never grow: every hit is noted, and few are ever asked for. */
export function servedReplies(most: number): Served {
  const ids = new Array<string>(most).fill('')
  const tenants = new Array<string>(most).fill('')
  const replies = new Array<ServedReply | undefined>(most).fill(undefined)
  let at = 0
  return {
    note({ id, principal }, reply) {
      ids[at] = id
      tenants[at] = principal.tenant
      replies[at] = reply
      at = (at + 1) % most
    },
    find(tenant, callId) {
      const found = callId === '' ? -1 : ids.indexOf(callId)
      return found < 0 || tenants[found] !== tenant ? undefined : replies[found]
    },
    forget(callId) {
      const found = callId === '' ? -1 : ids.indexOf(callId)
      if (found >= 0) ids[found] = ''
    },
  }
}
