import type { CallOptions, Clock, Lead } from '@switchyard/contract'
import type { Client } from '../connection.ts'
import { abortError, throwIfAborted } from '../errors.ts'
import type { Guard } from '../guard.ts'
import { runScript, runScriptOfBytes } from '../run-script.ts'
import { over, tooLarge } from './errors.ts'
import type { FlightKeys } from './keys.ts'
import { APPEND, BEAT, COUNT, END } from './scripts.ts'
import { BEAT_MS, KEEP_MS, LEASE_MS, persist } from './timing.ts'

export interface LeadOptions {
  readonly client: Client
  readonly guard: Guard
  readonly clock: Pick<Clock, 'monotonic' | 'schedule' | 'sleep'>
  readonly keys: FlightKeys
  readonly isFirst: boolean
  readonly epoch: string
  readonly channels: string
  readonly maxFlightBytes: number
  /** Where it stands until its end or loss. */
  readonly all: Set<Lead>
}

/** Makes the lead of an epoch that was taken, and keeps its lease. */
export function redisLead(options: LeadOptions): Lead {
  const { client, guard, clock, keys, epoch, channels, maxFlightBytes, all } = options
  const stream = keys.stream(epoch)
  const lost = new AbortController()
  let ending: Promise<void> | undefined
  let bytes = 0
  let count = 0
  let tail: Promise<unknown> = Promise.resolve()
  let cancel = clock.schedule(BEAT_MS, beat)

  const isOver = (): boolean => ending !== undefined || lost.signal.aborted

  function lose(): void {
    if (isOver()) return
    cancel()
    lost.abort(over('the lead of this flight is lost: its lease ran out'))
    all.delete(own)
  }

  function beat(): void {
    const args = [keys.lead, stream, epoch, String(LEASE_MS), String(KEEP_MS)]
    guard
      .run(() => runScript(client, BEAT, args, 2), undefined)
      .then(
        (kept) => {
          if (kept === 0) lose()
        },
        // While Redis is away nobody else can take the lead there; once it is back it tells who leads.
        () => {},
      )
      .finally(() => {
        if (!isOver()) cancel = clock.schedule(BEAT_MS, beat)
      })
  }

  function end(how: 'complete' | 'abandon'): Promise<void> {
    if (ending !== undefined) return ending.catch(() => {})
    if (lost.signal.aborted) return how === 'abandon' ? Promise.resolve() : Promise.reject(lost.signal.reason)
    cancel()
    const args = [keys.lead, stream, keys.listeners, epoch, String(KEEP_MS), how, channels]
    const send = (): Promise<unknown> => guard.run(() => runScript(client, END, args, 3), undefined)
    // What was appended goes first; whoever abandons does not wait for it.
    const before = how === 'complete' ? tail : Promise.resolve()
    ending = before
      .then(() => persist(clock, () => false, send))
      .then((said) => {
        if (said === 0 && how === 'complete') throw over('this flight was lost before it was complete')
      })
    all.delete(own)
    return ending
  }

  async function send(chunk: Buffer, n: number): Promise<void> {
    const args = [keys.lead, stream, keys.listeners, epoch, String(LEASE_MS), String(KEEP_MS), String(n), chunk, channels]
    const said = await persist(
      clock,
      () => lost.signal.aborted,
      () => guard.run(() => runScriptOfBytes(client, APPEND, args, 3), undefined),
    )
    if (said === 1) return
    lose()
    throw over('the lead of this flight is lost')
  }

  const own: Lead = {
    role: 'leader',
    signal: lost.signal,
    isFirst: options.isFirst,

    async append(chunk: Uint8Array, given?: CallOptions) {
      throwIfAborted(given)
      if (lost.signal.aborted) throw lost.signal.reason
      if (ending !== undefined) throw over('this flight has ended')
      if (bytes + chunk.byteLength > maxFlightBytes) {
        await end('abandon').catch(() => {})
        throw tooLarge(maxFlightBytes)
      }
      bytes += chunk.byteLength
      count += 1
      const [copy, n] = [Buffer.from(chunk), count]
      const sent = tail.then(() => send(copy, n))
      tail = sent.catch(() => {})
      await orAborted(sent, given?.signal)
    },

    complete: () => end('complete'),
    abandon: () => end('abandon'),

    async listeners(given) {
      const said = await guard.run(() => runScript(client, COUNT, [keys.lead, keys.listeners, epoch], 2), given)
      if (said !== -1) return Number(said)
      lose()
      throw over('this flight has ended, or its lead is lost')
    },
  }
  all.add(own)
  return own
}

/** The promise, or a rejection at the abort; what the promise stands for goes on. */
function orAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(abortError(signal))
    signal.addEventListener('abort', onAbort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}
