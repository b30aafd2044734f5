import type { IncomingHttpHeaders } from 'node:http'
import { type Principal, SwitchyardError } from '@switchyard/contract'

/** What a client asks of its call beside the request, by headers. */
export interface CallWishes {
  readonly priority: 'low' | 'normal' | 'high' | undefined
  /** Ms from now to the last byte. */
  readonly timeoutMs: number | undefined
  /** The decision trace is to come with the reply. */
  readonly trace: boolean
}

const PRIORITY = 'x-switchyard-priority'
const TIMEOUT = 'x-switchyard-timeout-ms'
const TRACE = 'x-switchyard-trace'
const MAX_TIMEOUT_MS = 3_600_000
const NONE: CallWishes = Object.freeze({ priority: undefined, timeoutMs: undefined, trace: false })

/** Throws `INVALID_REQUEST` for a value that is none, and `FORBIDDEN` where one who is no admin asks for the trace. */
export function callWishes(headers: IncomingHttpHeaders, principal: Principal): CallWishes {
  const priority = headers[PRIORITY]
  const timeout = headers[TIMEOUT]
  const trace = headers[TRACE]
  if (priority === undefined && timeout === undefined && trace === undefined) return NONE
  return {
    priority: priority === undefined ? undefined : priorityIn(priority),
    timeoutMs: timeout === undefined ? undefined : timeoutIn(timeout),
    trace: trace !== undefined && mayTrace(trace, principal),
  }
}

function priorityIn(value: string | string[]): CallWishes['priority'] {
  if (value === 'low' || value === 'normal' || value === 'high') return value
  throw invalid(PRIORITY, 'is low, normal or high')
}

function timeoutIn(value: string | string[]): number {
  const ms = typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : 0
  if (ms >= 1 && ms <= MAX_TIMEOUT_MS) return ms
  throw invalid(TIMEOUT, `is a whole number of milliseconds from 1 to ${MAX_TIMEOUT_MS}`)
}

function mayTrace(value: string | string[], principal: Principal): boolean {
  if (value === '0') return false
  if (value !== '1') throw invalid(TRACE, 'is 1 or 0')
  requireTrace(principal, TRACE)
  return true
}

/** Throws `FORBIDDEN` for one who may not see what the policies decide, and by which figures. `what` asks to. */
export function requireTrace({ roles }: Principal, what: string): void {
  if (roles.includes('admin') || roles.includes('trace')) return
  throw new SwitchyardError('FORBIDDEN', `${what} is for keys with the role trace or admin`)
}

function invalid(param: string, what: string): SwitchyardError {
  return new SwitchyardError('INVALID_REQUEST', `the header ${param} ${what}`, { details: { param } })
}
