import { type Call, deploymentOf, SwitchyardError } from '@switchyard/contract'
import { durationText, type Quota } from './quota.ts'

/** A row that had no room. */
export interface Refused {
  readonly quota: Quota
  /** What the call needed. */
  readonly amount: bigint
  /** What the row had left, >= 0. */
  readonly available: bigint
  /** Milliseconds until there may be room, >= 1. */
  readonly retryAfterMs: number
  /** The call needs more than the limit ever has. */
  readonly never: boolean
}

/** Slots are given back when a call ends, which nobody knows beforehand. */
const SLOT_RETRY_MS = 1000

/** What a refused reserve means. `freesAt` in epoch ms; `limit` as it stood in the row. */
export function refusedBy(
  quota: Quota,
  amount: bigint,
  limit: bigint,
  available: bigint,
  freesAt: number | undefined,
  now: number,
): Refused {
  const waitMs = freesAt === undefined ? quota.windowMs : Math.max(1, Math.ceil(freesAt - now))
  const retryAfterMs = quota.unit === 'concurrency' ? Math.min(SLOT_RETRY_MS, waitMs) : waitMs
  return { quota, amount, available, retryAfterMs, never: amount > limit }
}

/** `RATE_LIMITED`, with the headers that tell of it in `details.headers`. */
export function rateLimited(call: Call, plugin: string, refused: Refused): SwitchyardError {
  const { quota, amount, available, retryAfterMs, never } = refused
  const { limit, per, unit, count, windowMs } = quota
  const slots = unit === 'concurrency'
  const details = {
    guard: 'rate-limit',
    sent: false,
    limit,
    per,
    unit,
    count,
    ...(!slots && { windowMs }),
    available: Number(available),
    ...(per.includes('target') && { deployment: deploymentOf(call) }),
    headers: headersOf(refused),
  }
  const allowed = slots ? `${count} at a time` : `${count} ${unit} in ${durationText(windowMs)}`
  const about = `${call.operation}: the limit "${limit}" of ${plugin} allows ${allowed} per ${per}`
  if (never) {
    const message = `${about}, and this call alone needs ${amount}; send a smaller request, or raise the limit`
    return new SwitchyardError('RATE_LIMITED', message, { plugin, retryable: false, details })
  }
  const message = `${about}; try again in ${durationText(retryAfterMs)}`
  return new SwitchyardError('RATE_LIMITED', message, { plugin, retryAfterMs, details })
}

function headersOf({ quota, available, retryAfterMs, never }: Refused): Readonly<Record<string, string>> {
  const { unit, item, policy, count, windowMs } = quota
  const afterMs = never ? windowMs : retryAfterMs
  const told: Record<string, string> = {
    ratelimit: `${item};r=${available};t=${Math.ceil(afterMs / 1000)}`,
    'ratelimit-policy': policy,
  }
  if (unit === 'concurrency') return told
  told[`x-ratelimit-limit-${unit}`] = String(count)
  told[`x-ratelimit-remaining-${unit}`] = String(available)
  told[`x-ratelimit-reset-${unit}`] = durationText(afterMs)
  return told
}
