import type { Limit, TokenLimit } from './options.ts'

/** What a quota counts. */
export type Unit = 'requests' | 'tokens' | 'concurrency'

/** One figure of a limit, with all that is told of it worked out beforehand. */
export interface Quota {
  readonly limit: string
  readonly unit: Unit
  /** What the limit is per, as told: `key`, `team+model`. */
  readonly per: string
  readonly count: number
  readonly most: bigint
  /** This node's part of the fleet's count, >= 1. */
  readonly share: bigint
  /** Length of the window; for concurrency, of the lease. */
  readonly windowMs: number
  /** Set where `unit` is `tokens`. */
  readonly tokens: TokenLimit | undefined
  /** Name as an item of a structured field, quoted. */
  readonly item: string
  /** The item with its parameters, for `RateLimit-Policy`. */
  readonly policy: string
  /** Whole seconds after which all that is used now is free again. */
  readonly resetSeconds: number
  /** The window in the form of OpenAI's headers: `1s`, `6m0s`, `120ms`. */
  readonly reset: string
}

/** The quotas of a limit. `nodes` is the size of the fleet. */
export function quotasOf(limit: Limit, nodes: number, concurrencyLeaseMs: number): readonly Quota[] {
  const { requests, tokens, concurrency } = limit
  const several = [requests, tokens, concurrency].filter((one) => one !== undefined).length > 1
  const make = (unit: Unit, count: number, windowMs: number): Quota => {
    const item = `"${limit.name}${several ? `-${unit}` : ''}"`
    const resetSeconds = Math.ceil(windowMs / 1000)
    return {
      limit: limit.name,
      unit,
      per: limit.per.join('+'),
      count,
      most: BigInt(count),
      share: BigInt(Math.max(1, Math.floor(count / nodes))),
      windowMs,
      tokens: unit === 'tokens' ? tokens : undefined,
      item,
      policy: `${item};q=${count}${UNIT[unit]}${unit === 'concurrency' ? '' : `;w=${resetSeconds}`}`,
      resetSeconds,
      reset: durationText(windowMs),
    }
  }
  const quotas: Quota[] = []
  if (requests !== undefined) quotas.push(make('requests', requests.count, requests.windowMs))
  if (tokens !== undefined) quotas.push(make('tokens', tokens.count, tokens.windowMs))
  if (concurrency !== undefined) quotas.push(make('concurrency', concurrency, concurrencyLeaseMs))
  return quotas
}

/** Parameter `qu` of draft-ietf-httpapi-ratelimit-headers; requests are its default, and for tokens none is registered. */
const UNIT: Readonly<Record<Unit, string>> = {
  requests: '',
  tokens: ';qu="tokens"',
  concurrency: ';qu="concurrent-requests"',
}

/** A span of time as OpenAI's `x-ratelimit-reset-*` writes it: `120ms`, `1s`, `6m0s`, `1h0m0s`. Milliseconds, >= 0. */
export function durationText(ms: number): string {
  if (ms < 1000) return `${Math.ceil(ms)}ms`
  const seconds = Math.ceil(ms) / 1000
  const hours = Math.floor(seconds / 3600)
  const minutes = Math.floor((seconds % 3600) / 60)
  const rest = `${Math.round((seconds % 60) * 1000) / 1000}s`
  if (hours > 0) return `${hours}h${minutes}m${rest}`
  return minutes > 0 ? `${minutes}m${rest}` : rest
}
