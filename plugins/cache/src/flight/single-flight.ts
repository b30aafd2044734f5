import { type Clock, type Flights, type Logger, SwitchyardError } from '@switchyard/contract'
import { abortedBy } from './blame.ts'
import { fleetOf } from './fleet.ts'
import { beginFlight, type Flight } from './flight.ts'

export interface FlyOptions {
  /** The caller's own. At its abort the caller leaves; what others wait for goes on. */
  readonly signal: AbortSignal
  /**
   * Does the work, where this caller is chosen to. The signal aborts once nobody listens any more, here or at another node, or where
   * the lead was lost before anything came; it is not the caller's, which may leave while others stay. `isFirst`: no other node's flight of the
   * key has ended of late, as far as the fleet knows.
   */
  lead(signal: AbortSignal, isFirst: boolean): Promise<AsyncIterable<Uint8Array>>
  /**
   * Told once for each `lead` that ran: all frames after a good end, undefined where it ended otherwise or outgrew `maxBytes`. Until
   * the promise it may return settles, at most `remoteTimeoutMs`, whoever asks for the same still gets these frames.
   */
  landed(frames: readonly Uint8Array[] | undefined): void | Promise<void>
}

/** What a caller gets, once the first frame is there or all is over without one. */
export interface Flown {
  /** Whether the frames are of its own `lead`. */
  readonly role: 'leader' | 'listener'
  /**
   * From the first on; to be read once. They are shared with others: not to be written to. Breaking off leaves, as does the abort of
   * the caller's signal. Rejects as the leader's source did, `UPSTREAM_TRUNCATED` where the leader is gone, `OVERLOADED` for a reader
   * that fell behind by `maxBytes`.
   */
  readonly frames: AsyncIterable<Uint8Array>
}

export interface SingleFlight {
  /**
   * Joins the flight of the key, or starts it. Of all who fly the same key at the same time, over the fleet, one leads. Rejects with
   * the abort's reason, and as `lead` did: with what it says of the upstream for all who wait, with what concerns the leader's own call
   * for the leader alone, and then the next leads.
   */
  fly(key: string, options: FlyOptions): Promise<Flown>
  /** Whether a flight of the key goes on in this process that has not ended and can be joined. */
  isFlying(key: string): boolean
  /** Flights that go on in this process. */
  readonly underWay: number
  /** Times that the fleet's flights failed or were late, so that a call was not shared with other nodes. */
  readonly failures: number
  /** Ends all with `CLOSED`, also what comes. Idempotent. */
  close(): void
}

export interface SingleFlightParts {
  /** Single-flight over the fleet; one that is not shared is not asked. */
  readonly flights: Flights | undefined
  readonly clock: Pick<Clock, 'monotonic' | 'schedule'>
  readonly log: Pick<Logger, 'warn'>
  /** Bytes of one flight that are kept. A larger one takes no more callers, and is read no faster than its fastest reader reads. */
  readonly maxBytes: number
  /** Longest that a call waits for the fleet before it goes on alone. */
  readonly remoteTimeoutMs: number
}

/** Lets calls that want the same share one: the frames of its reply are kept once, and each reads them at its own pace. */
export function singleFlight({ flights, clock, log, maxBytes, remoteTimeoutMs }: SingleFlightParts): SingleFlight {
  const fleet = fleetOf({ flights, clock, log, remoteTimeoutMs })
  const joinable = new Map<string, Flight>()
  const all = new Set<Flight>()
  let closed = false

  function begin(key: string, options: FlyOptions): ReturnType<Flight['join']> {
    const parts = {
      key,
      fleet,
      clock,
      log,
      maxBytes,
      remoteTimeoutMs,
      onShut: () => {
        joinable.delete(key)
      },
      onOver: () => {
        all.delete(flight)
      },
    }
    const { flight, flown } = beginFlight(parts, options)
    joinable.set(key, flight)
    all.add(flight)
    return flown
  }

  return {
    fly(key, options) {
      if (closed) return Promise.reject(closedError())
      if (options.signal.aborted) return Promise.reject(abortedBy(options.signal))
      return joinable.get(key)?.join(options) ?? begin(key, options)
    },
    isFlying: (key) => joinable.get(key)?.isOpen() === true,
    get underWay() {
      return all.size
    },
    get failures() {
      return fleet.failures
    },
    close() {
      closed = true
      for (const flight of [...all]) flight.stop(closedError())
    },
  }
}

function closedError(): SwitchyardError {
  return new SwitchyardError('CLOSED', 'cache: the plugin is closed')
}
