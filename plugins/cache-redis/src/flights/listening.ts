import type { Clock, Listening } from '@switchyard/contract'
import type { Client } from '../connection.ts'
import type { Guard } from '../guard.ts'
import { runScript } from '../run-script.ts'
import type { Doorbell } from './doorbell.ts'
import { closed, over } from './errors.ts'
import type { FlightKeys } from './keys.ts'
import { WATCH } from './scripts.ts'
import { LEASE_MS, LISTENER_MS, persist, WATCH_MS } from './timing.ts'

/** Chunks that are read at once. */
const AT_ONCE = 64

export interface ListeningOptions {
  readonly client: Client
  readonly guard: Guard
  readonly clock: Pick<Clock, 'monotonic' | 'schedule' | 'sleep'>
  readonly keys: FlightKeys
  readonly epoch: string
  /** Its name among the listeners: that of its node, a slash, and a number. */
  readonly member: string
  readonly bell: Doorbell
  /** Where it stands as long as it goes on. */
  readonly all: Set<RedisListening>
}

/** A listening that the plugin can close. */
export interface RedisListening extends Listening {
  close(): void
}

/** Listens to an epoch that was joined. It reads as it is read from, so a slow reader costs nobody anything. */
export async function redisListening(options: ListeningOptions): Promise<RedisListening> {
  const { client, guard, clock, keys, epoch, member, bell, all } = options
  const stream = keys.stream(epoch)
  /** Chunks that were read, and those that there are as far as is known. */
  let [read, there] = [0, 0]
  let rings = 0
  let wake = (): void => {}
  /** Why it can go on no more; set from outside of the reading. */
  let out: { readonly error: unknown } | undefined
  let gone = false
  let left = false
  let heardAt = clock.monotonic()
  let cancel = clock.schedule(WATCH_MS, watch)
  let unhang = (): void => {}

  function ring(): void {
    rings += 1
    wake()
  }

  function end(error?: unknown): void {
    if (left) return
    left = true
    out ??= error === undefined ? undefined : { error }
    cancel()
    unhang()
    all.delete(own)
    wake()
  }

  function watch(): void {
    const args = [keys.lead, stream, keys.listeners, epoch, member, String(LISTENER_MS)]
    guard
      .run(() => runScript(client, WATCH, args, 3), undefined)
      .then(
        (said) => {
          const [leads, length] = said as [number, number]
          heardAt = clock.monotonic()
          there = length
          gone = leads === 0
          // Rings may be lost.
          if (gone || there > read) ring()
        },
        (error: unknown) => {
          if (clock.monotonic() - heardAt >= LEASE_MS) end(error)
        },
      )
      .finally(() => {
        if (!left && !gone) cancel = clock.schedule(WATCH_MS, watch)
      })
  }

  async function* chunks(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        if (left) break
        const [rung, wasGone] = [rings, gone]
        const entries = await persist(
          clock,
          () => left,
          () => guard.run(() => client.xrangeBuffer(stream, `(${read}-0`, '+', 'COUNT', AT_ONCE), undefined),
        )
        for (const [id, [field, value]] of entries) {
          if (left) break
          if (Number.parseInt(String(id), 10) !== read + 1) throw over('a part of this flight is lost')
          read += 1
          if (String(field) === 'd') yield new Uint8Array(value as Buffer)
          else if (String(value) === 'complete') return
          else throw over('the leader of this flight abandoned it')
        }
        if (left || entries.length > 0 || rung !== rings) continue
        // Read after its leader was seen to lead no more, so this is all that there will be.
        if (wasGone) throw over('the leader of this flight is gone')
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      if (out !== undefined) throw out.error
    } finally {
      await leave()
    }
  }

  async function leave(): Promise<void> {
    if (left) return
    end()
    // Where that does not arrive, its place lapses.
    await guard.run(() => client.zrem(keys.listeners, member), undefined).catch(() => {})
  }

  const own: RedisListening = { role: 'listener', chunks: chunks(), leave, close: () => end(closed()) }
  all.add(own)
  const hung = await bell.hang(stream, ring)
  if (left) hung()
  else unhang = hung
  return own
}
