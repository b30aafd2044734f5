import type { Clock } from '@switchyard/contract'
import type { Client } from '../connection.ts'
import type { Acknowledgements } from './acknowledgements.ts'
import type { RawEntry } from './events.ts'
import type { Follower } from './follower.ts'
import { FIRST_ID, type LogId } from './ids.ts'
import type { LogKeys } from './keys.ts'
import { patience } from './patience.ts'

export interface LogReaderOptions {
  /** A connection of its own: it blocks. */
  readonly reader: Client
  readonly keys: LogKeys
  readonly node: string
  readonly following: Follower
  readonly heard: Acknowledgements
  readonly clock: Pick<Clock, 'sleep' | 'schedule'>
  readonly blockMs: number
}

/** Hands the log to the follower as it grows, and the inbox to the account of acknowledgements. */
export interface LogReader {
  start(): void
  close(): void
}

const MOST_ENTRIES = '1000'
const PAUSE_MS = 100
/** A read that takes that many times as long as it may block is not waited for. */
const LATE = 2

/** Makes a reader that does not read yet. Where it cannot, the renewals bring the same, only later. */
export function logReader({ reader, keys, node, following, heard, clock, blockMs }: LogReaderOptions): LogReader {
  const closing = new AbortController()
  const inbox = keys.inbox(node)
  const answers = patience(clock, blockMs * LATE)
  let inboxAt: LogId = FIRST_ID

  async function readOnce(): Promise<void> {
    const place = following.place()
    const block = String(blockMs)
    const words = ['COUNT', MOST_ENTRIES, 'BLOCK', block, 'STREAMS', keys.log, inbox, place.position, inboxAt] as const
    const reading = reader.xreadBuffer(...words) as Promise<readonly (readonly [Buffer, readonly RawEntry[]])[] | null>
    const streams = await answers.wait(reading)
    for (const [name, entries] of streams ?? []) {
      if (String(name) === keys.log) following.absorb(place, entries)
      else hear(entries)
    }
  }

  function hear(entries: readonly RawEntry[]): void {
    for (const [id, fields] of entries) {
      inboxAt = String(id)
      // As ACKNOWLEDGE writes them: n, node, i, id.
      const [, from, , applied] = fields
      if (from !== undefined && applied !== undefined) heard.heard(String(from), String(applied))
    }
  }

  async function read(): Promise<void> {
    while (!closing.signal.aborted) {
      try {
        if (following.loaded()) await readOnce()
        else await clock.sleep(PAUSE_MS, closing.signal)
      } catch {
        await clock.sleep(PAUSE_MS, closing.signal).catch(() => {})
      }
    }
  }

  return {
    start: () => void read(),
    close: () => closing.abort(),
  }
}
