import { type Lead, SwitchyardError } from '@switchyard/contract'
import { outgrown } from './blame.ts'
import { endRecord, failureRecord, frameRecord } from './framing.ts'

/** Records that wait are sent together, up to that many bytes. */
const BATCH_BYTES = 256 * 1024
/** Kept free for the failure that ends a flight. */
const FAILURE_BYTES = 16 * 1024

/** Hands a leader's frames to other nodes, in order, without making the leader wait. */
export interface Outbox {
  send(frame: Uint8Array): void
  /** The good end. The flight can still be joined until `released`. */
  end(released: Promise<void>): void
  /** Every listener gets this error. */
  fail(error: SwitchyardError): void
  /** Listeners elect another leader, or are cut. */
  abandon(): void
  /** Listeners at other nodes; 0 where nothing reaches them any more. */
  listeners(): Promise<number>
}

export interface OutboxParts {
  readonly lead: Lead
  readonly maxBytes: number
  /** Told once where frames do not get through, unless the lead was lost. */
  onBroken(error: unknown): void
}

/** Makes the outbox of a lead. Where handing over fails the leader goes on alone. */
export function outboxOf({ lead, maxBytes, onBroken }: OutboxParts): Outbox {
  let waiting: Uint8Array[] = []
  let total = 0
  let sending = false
  /** What is called of the lead once nothing waits any more. */
  let ending: (() => Promise<void>) | undefined
  /** Takes no more; what waits still goes out, unless `dropped`. */
  let over = false
  let dropped = false

  function drop(): void {
    over = true
    dropped = true
    waiting = []
    ending = undefined
  }

  function broken(error: unknown): void {
    if (dropped) return
    drop()
    if (SwitchyardError.is(error, 'CONFLICT')) return
    onBroken(error)
    lead.abandon().catch(() => {})
  }

  function takeBatch(): Uint8Array {
    let bytes = 0
    let count = 0
    while (count < waiting.length && (count === 0 || bytes + (waiting[count] as Uint8Array).byteLength <= BATCH_BYTES)) {
      bytes += (waiting[count] as Uint8Array).byteLength
      count += 1
    }
    const taken = waiting.splice(0, count)
    if (taken.length === 1) return taken[0] as Uint8Array
    const batch = new Uint8Array(bytes)
    let at = 0
    for (const one of taken) {
      batch.set(one, at)
      at += one.byteLength
    }
    return batch
  }

  async function flush(): Promise<void> {
    if (sending) return
    sending = true
    try {
      while (waiting.length > 0) await lead.append(takeBatch())
      const last = ending
      ending = undefined
      await last?.()
    } catch (error) {
      broken(error)
    } finally {
      sending = false
    }
    if (waiting.length > 0 || ending !== undefined) void flush()
  }

  function put(record: Uint8Array): void {
    waiting.push(record)
    total += record.byteLength
    void flush()
  }

  function finish(record: Uint8Array, released: Promise<void>): void {
    if (over) return
    over = true
    ending = async () => {
      await released
      await lead.complete()
    }
    put(record)
  }

  return {
    send(frame) {
      if (over) return
      const record = frameRecord(frame)
      if (total + record.byteLength + FAILURE_BYTES > maxBytes) finish(failureRecord(outgrown(maxBytes)), Promise.resolve())
      else put(record)
    },
    end: (released) => finish(endRecord(), released),
    fail: (error) => finish(failureRecord(error), Promise.resolve()),
    abandon() {
      if (over) return
      drop()
      lead.abandon().catch(() => {})
    },
    async listeners() {
      if (over) return 0
      return lead.listeners().catch(() => 0)
    },
  }
}
