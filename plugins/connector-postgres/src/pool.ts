import { type Clock, SwitchyardError } from '@switchyard/contract'
import { abortError, closedError, throwIfAborted } from './errors.ts'

/** What the pool needs to know of a connection. */
export interface Pooled {
  readonly bornAt: number
  readonly usable: boolean
  /** True where it can be handed on as it is. */
  readonly clean: boolean
  /** Brings it back to a clean state, within bounded time. False where it could not. */
  reset(): Promise<boolean>
  end(): void
  destroy(): void
  onLost(listener: () => void): void
}

export interface PoolOptions<C extends Pooled> {
  open(): Promise<C>
  readonly max: number
  readonly maxConnecting: number
  readonly maxWaiting: number
  readonly acquireTimeoutMs: number
  readonly idleTimeoutMs: number
  readonly maxLifetimeMs: number
  readonly clock: Clock
  readonly random: () => number
}

/** A connection held alone. */
export interface Lease<C> {
  readonly connection: C
  /** Gives it back; a dirty one is reset first. Calling it again does nothing. */
  release(): void
}

/** A moment of the pool. */
export interface PoolStats {
  readonly total: number
  readonly idle: number
  readonly leased: number
  readonly connecting: number
  readonly waiting: number
  /** Milliseconds for which the oldest lease has been held; 0 when none is. */
  readonly oldestHolderMs: number
}

/** Connections lent first come, first served. */
export interface Pool<C> {
  /**
   * A connection. Rejects `OVERLOADED` when the queue is full or the wait took too long, naming who holds the connections; with the
   * error of connecting, or `UPSTREAM_UNAVAILABLE` while that lasts, where there is no other connection to wait for; the signal's
   * error at once when it aborts; `CLOSED`.
   */
  acquire(holder: string, signal?: AbortSignal): Promise<Lease<C>>
  stats(): PoolStats
  /** Refuses who waits, waits up to `graceMs` for leases to come back, then cuts them. Idempotent. */
  close(graceMs: number): Promise<void>
}

const BACKOFF_MS = { first: 100, longest: 5_000 } as const

interface Waiter<C> {
  readonly holder: string
  grant(lease: Lease<C>): void
  refuse(error: SwitchyardError): void
}

interface Holding<C> {
  readonly connection: C
  readonly holder: string
  readonly since: number
}

export function pool<C extends Pooled>(options: PoolOptions<C>): Pool<C> {
  const { clock, max, maxConnecting, maxWaiting, acquireTimeoutMs, maxLifetimeMs } = options
  const idle: { readonly connection: C; cancelTimer(): void }[] = []
  const holdings = new Set<Holding<C>>()
  const waiters = new Set<Waiter<C>>()
  const retiring = new WeakMap<C, number>()
  let connecting = 0
  let resetting = 0
  let failures = 0
  let cancelBackoff: (() => void) | undefined
  let lastFailure: SwitchyardError | undefined
  let closed: Promise<void> | undefined
  let onDrained: (() => void) | undefined

  const total = (): number => idle.length + holdings.size + connecting + resetting

  function lend(connection: C, holder: string): Lease<C> {
    const holding = { connection, holder, since: clock.monotonic() }
    holdings.add(holding)
    return {
      connection,
      release() {
        if (!holdings.delete(holding)) return
        takeBack(connection)
      },
    }
  }

  function takeBack(connection: C): void {
    if (connection.usable && !connection.clean) {
      resetting++
      connection
        .reset()
        .catch(() => false)
        .then((clean) => {
          resetting--
          if (!clean) connection.destroy()
          keep(connection)
        })
      return
    }
    keep(connection)
  }

  function keep(connection: C): void {
    if (!connection.usable || closed !== undefined || clock.monotonic() >= (retiring.get(connection) as number)) {
      if (connection.usable) connection.end()
    } else {
      const cancelTimer = clock.schedule(options.idleTimeoutMs, () => {
        discard(connection)
        connection.end()
      })
      idle.push({ connection, cancelTimer })
    }
    pump()
  }

  function discard(connection: C): void {
    const at = idle.findIndex((entry) => entry.connection === connection)
    if (at !== -1) idle.splice(at, 1)[0]?.cancelTimer()
  }

  function takeIdle(): C | undefined {
    for (let entry = idle.pop(); entry !== undefined; entry = idle.pop()) {
      entry.cancelTimer()
      if (entry.connection.usable) return entry.connection
    }
    return undefined
  }

  /** Serves who waits, first come, first served, and opens as many connections as they need. */
  function pump(): void {
    for (const waiter of waiters) {
      const connection = takeIdle()
      if (connection === undefined) break
      waiter.grant(lend(connection, waiter.holder))
    }
    while (waiters.size > connecting && connecting < maxConnecting && total() < max && cancelBackoff === undefined) connect()
    if (closed !== undefined && total() === 0) onDrained?.()
  }

  function connect(): void {
    connecting++
    options.open().then(
      (connection) => {
        connecting--
        failures = 0
        lastFailure = undefined
        // Drawn once: drawn anew at each return, the busy connections of one burst would all go together, at the least age.
        retiring.set(connection, connection.bornAt + Math.floor(maxLifetimeMs * (1 - options.random() / 10)))
        connection.onLost(() => {
          discard(connection)
          pump()
        })
        keep(connection)
      },
      (error: SwitchyardError) => {
        connecting--
        lastFailure = error
        backOff()
        // With connections out there, one of them may come back in time; with none, there is nothing to wait for.
        if (total() === 0) for (const waiter of waiters) waiter.refuse(error)
        pump()
      },
    )
  }

  /** A server that refuses is not asked again at once, however many wait. */
  function backOff(): void {
    if (cancelBackoff !== undefined || closed !== undefined) return
    const ms = Math.min(BACKOFF_MS.first * 2 ** failures, BACKOFF_MS.longest)
    failures++
    cancelBackoff = clock.schedule(ms * (0.5 + options.random() / 2), () => {
      cancelBackoff = undefined
      pump()
    })
  }

  function overloaded(why: string): SwitchyardError {
    const now = clock.monotonic()
    const held = [...holdings].map(({ holder, since }) => `a ${holder} for ${Math.round(now - since)} ms`)
    const shown = held.slice(0, 10).join(', ') + (held.length > 10 ? ` and ${held.length - 10} more` : '')
    const holders = held.length === 0 ? 'none is held' : `held are ${held.length} of ${max}: ${shown}`
    const failed = lastFailure === undefined ? '' : `; the last attempt to connect failed: ${lastFailure.message}`
    const cause = lastFailure === undefined ? {} : { cause: lastFailure }
    return new SwitchyardError('OVERLOADED', `postgres: ${why}; ${holders}${failed}`, { details: { sent: false }, ...cause })
  }

  /** Where there is no connection at all, the server is slow or not there: nothing of ours is too busy. */
  function unreachable(why: string): SwitchyardError {
    const message = `postgres: ${why}; ${connecting} being opened`
    return lastFailure ?? new SwitchyardError('UPSTREAM_UNAVAILABLE', message, { details: { sent: false } })
  }

  function wait(holder: string, signal: AbortSignal | undefined): Promise<Lease<C>> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        waiters.delete(waiter)
        cancelTimer()
        signal?.removeEventListener('abort', onAbort)
      }
      const waiter: Waiter<C> = {
        holder,
        grant(lease) {
          leave()
          resolve(lease)
        },
        refuse(error) {
          leave()
          reject(error)
        },
      }
      const onAbort = (): void => waiter.refuse(abortError(signal as AbortSignal))
      const cancelTimer = clock.schedule(acquireTimeoutMs, () => {
        const why = `no connection within ${acquireTimeoutMs} ms (acquireTimeoutMs)`
        waiter.refuse(total() === connecting ? unreachable(why) : overloaded(why))
      })
      signal?.addEventListener('abort', onAbort, { once: true })
      waiters.add(waiter)
      pump()
    })
  }

  async function drain(graceMs: number): Promise<void> {
    for (const waiter of waiters) waiter.refuse(closedError())
    cancelBackoff?.()
    for (let connection = takeIdle(); connection !== undefined; connection = takeIdle()) connection.end()
    if (total() === 0) return
    const drained = new Promise<void>((resolve) => {
      onDrained = resolve
    })
    const cancelTimer = clock.schedule(graceMs, () => {
      for (const { connection } of holdings) connection.destroy()
      onDrained?.()
    })
    await drained
    cancelTimer()
  }

  return {
    async acquire(holder, signal) {
      if (closed !== undefined) throw closedError()
      throwIfAborted(signal)
      const connection = waiters.size === 0 ? takeIdle() : undefined
      if (connection !== undefined) return lend(connection, holder)
      // Those for whom connections are being opened, or may be, wait for nobody.
      const room = max - total() + connecting
      if (waiters.size >= maxWaiting + room)
        throw overloaded(`${waiters.size} calls wait for a connection already (maxWaiting)`)
      return wait(holder, signal)
    },
    stats() {
      const oldest = holdings.values().next().value
      return {
        total: total(),
        idle: idle.length,
        leased: holdings.size,
        connecting,
        waiting: waiters.size,
        oldestHolderMs: oldest === undefined ? 0 : clock.monotonic() - oldest.since,
      }
    },
    close(graceMs) {
      closed ??= Promise.resolve().then(() => drain(graceMs))
      return closed
    },
  }
}
