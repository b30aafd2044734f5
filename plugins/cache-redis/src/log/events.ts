import type { LogId } from './ids.ts'

/** What is to be written. */
export interface NewLogEvent {
  /** Whose event it is, as `vector:put`; without a `!` at its front. */
  readonly type: string
  readonly key: string
  readonly payload?: Uint8Array
}

/** An entry of the log. */
export interface LogEvent {
  readonly id: LogId
  readonly type: string
  readonly key: string
  readonly payload: Buffer | undefined
  /** Id of the entry before it, whether that is still there or not. */
  readonly before: LogId
  /** The node that waits until all have applied it. */
  readonly by: string | undefined
}

/** An entry as XRANGE and XREAD give it. */
export type RawEntry = readonly [id: Buffer, fields: readonly Buffer[]]

/** Reads an entry. What is not there is empty: an entry that a stranger wrote breaks the chain, and so is a gap. */
export function eventOf([id, fields]: RawEntry): LogEvent {
  let [type, key, before, by] = ['', '', '', undefined as string | undefined]
  let payload: Buffer | undefined
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const value = fields[at + 1] as Buffer
    switch (String(fields[at])) {
      case 't':
        type = String(value)
        break
      case 'k':
        key = String(value)
        break
      case 'p':
        before = String(value)
        break
      case 'b':
        by = String(value)
        break
      case 'd':
        payload = value
    }
  }
  return { id: String(id), type, key, payload, before, by }
}

/** Whether each event names the one before it, the first that at `from`: then none of them is missing. */
export function isChain(from: LogId, events: readonly LogEvent[]): boolean {
  let before = from
  for (const event of events) {
    if (event.before !== before) return false
    before = event.id
  }
  return true
}
