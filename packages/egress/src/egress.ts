import { type Clock, SwitchyardError } from '@switchyard/contract'
import { compileRules } from './addresses.ts'
import { guardedConnector, type Lookup, systemResolver, type TlsOptions } from './connector.ts'
import { abortError, egressError, expiredError } from './errors.ts'
import { type EgressReply, type EgressRequest, Exchange, type ExchangeContext } from './exchange.ts'
import { type EgressPolicy, resolvePolicy } from './policy.ts'
import { OriginPool } from './pool.ts'
import { type Hop, redirectOf } from './redirects.ts'
import { systemClock } from './system-clock.ts'
import { type Target, vetUrl } from './target.ts'

/** What an egress is made of besides its policy. */
export interface EgressOptions {
  /** Instance name put into errors. */
  readonly plugin?: string
  /** Resolver to use instead of the system's; its answers are vetted just the same. */
  readonly lookup?: Lookup
  /** Clock of every bound and of `deadline`. Default: the machine's. */
  readonly clock?: Clock
  readonly tls?: TlsOptions
}

/** A moment's counts, and totals since the egress was made. */
export interface EgressStats {
  readonly origins: number
  /** Sockets that are open, busy or idle. */
  readonly open: number
  readonly connecting: number
  /** Requests on the wire, or whose socket is being opened. */
  readonly busy: number
  /** Requests that wait for a socket. */
  readonly queued: number
  /** Requests taken, redirects included. */
  readonly requests: number
  /** Requests sent once more because a socket proved dead. */
  readonly repeats: number
}

/** Outbound HTTP/1.1 under one policy, with sockets of its own. */
export interface Egress {
  /**
   * Sends a request; resolves when the reply's headers have come, whatever the status. Rejects with SwitchyardError:
   * `INVALID_REQUEST`, `POLICY_REFUSED` (never retryable), `OVERLOADED`, `TIMEOUT` (`details.phase`), `UPSTREAM_UNAVAILABLE`
   * (`details.sent` false if no byte left), `UPSTREAM_INVALID`, `ABORTED` or the signal's reason, `CLOSED`.
   */
  request(url: URL | string, options?: EgressRequest): Promise<EgressReply>
  stats(): EgressStats
  /** Ends what runs with `CLOSED`, closes all sockets, and resolves when they are closed. Idempotent. */
  close(): Promise<void>
}

/** Checked URLs kept, so that a caller's constant URL is parsed once. */
const MAX_TARGETS = 512
const NO_OPTIONS: EgressRequest = Object.freeze({})

/**
 * Makes the one way out for HTTP under a policy. Nothing is shared with another egress: a socket that one policy allowed is never
 * used under another. The owner calls `close`.
 * @throws SwitchyardError `CONFIG_INVALID` for a policy that makes no sense.
 */
export function createEgress(policy?: Partial<EgressPolicy>, options: EgressOptions = {}): Egress {
  const resolved = resolvePolicy(policy)
  const { plugin, clock = systemClock, lookup = systemResolver, tls } = options
  const rules = compileRules(resolved.allow, resolved.deny)
  const connector = guardedConnector({ rules, connectTimeoutMs: resolved.connectTimeoutMs, clock, lookup, tls, plugin })
  const context: ExchangeContext = { policy: resolved, clock, plugin, repeats: 0 }
  const pools = new Map<string, OriginPool>()
  const targets = new Map<string, Target>()
  let requests = 0
  let closing: Promise<void> | undefined

  const poolOf = (origin: string): OriginPool => {
    let pool = pools.get(origin)
    if (pool === undefined) {
      pool = new OriginPool(origin, resolved, plugin, connector, (retired) => pools.delete(retired.origin))
      pools.set(origin, pool)
    }
    return pool
  }

  const targetOf = (href: string): Target => {
    const known = targets.get(href)
    if (known !== undefined) {
      if (known.pool.retired) known.pool = poolOf(known.origin)
      return known
    }
    const url = vetUrl(href, resolved, plugin)
    const target = { url: url.href, origin: url.origin, path: url.pathname + url.search, pool: poolOf(url.origin) }
    if (targets.size === MAX_TARGETS) targets.clear()
    targets.set(href, target)
    return target
  }

  const closed = (): SwitchyardError => egressError(plugin, 'CLOSED', 'this egress is closed', { sent: false })

  const send = (url: URL | string, request: EgressRequest, totalMs: number): Promise<EgressReply> => {
    if (closing !== undefined) return Promise.reject(closed())
    if (request.signal?.aborted === true) return Promise.reject(abortError(plugin, request.signal.reason, false))
    let target: Target
    try {
      target = targetOf(typeof url === 'string' ? url : url.href)
      if (request.method?.toUpperCase() === 'CONNECT')
        throw new SwitchyardError('INVALID_REQUEST', 'egress: CONNECT is not supported')
    } catch (error) {
      return Promise.reject(error)
    }
    if (totalMs <= 0) return Promise.reject(expiredError(plugin, 'total', totalMs, target.origin, false))
    requests++
    return new Promise((resolve, reject) => new Exchange(target, request, context, totalMs, resolve, reject).start())
  }

  const totalOf = (deadline: number | undefined): number =>
    deadline === undefined ? resolved.totalTimeoutMs : Math.min(resolved.totalTimeoutMs, Math.max(0, deadline - clock.now()))

  const follow = async (url: URL | string, request: EgressRequest): Promise<EgressReply> => {
    const startedAt = clock.monotonic()
    const totalMs = totalOf(request.deadline)
    let hop: Hop = { url: typeof url === 'string' ? url : url.href, request }
    for (let hops = 0; ; hops++) {
      const reply = await send(hop.url, hop.request, Math.max(0, totalMs - (clock.monotonic() - startedAt)))
      let next: Hop | undefined
      try {
        next = redirectOf(reply, hop.request, plugin)
      } catch (error) {
        reply.body.destroy()
        throw error
      }
      if (next === undefined) return reply
      reply.body.destroy()
      if (hops === resolved.maxRedirects) {
        throw new SwitchyardError(
          'UPSTREAM_INVALID',
          `${new URL(reply.url).origin}: more than ${hops} redirects (option "maxRedirects")`,
          {
            retryable: false,
            details: { status: reply.status },
          },
        )
      }
      hop = next
    }
  }

  return {
    request: (url, request = NO_OPTIONS) =>
      resolved.maxRedirects === 0 ? send(url, request, totalOf(request.deadline)) : follow(url, request),
    stats: () => {
      const sum = { open: 0, connecting: 0, busy: 0, queued: 0 }
      for (const pool of pools.values()) {
        const counts = pool.counts()
        sum.open += counts.open
        sum.connecting += counts.connecting
        sum.busy += counts.busy
        sum.queued += counts.queued
      }
      return { origins: pools.size, ...sum, requests, repeats: context.repeats }
    },
    close: () => {
      closing ??= Promise.all([...pools.values()].map((pool) => pool.close(closed()))).then(() => targets.clear())
      return closing
    },
  }
}
