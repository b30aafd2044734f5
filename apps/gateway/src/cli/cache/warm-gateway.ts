import { type Secret, SwitchyardError } from '@switchyard/contract'
import { retryAfterMs } from '@switchyard/egress'
import { gatewayAt } from '../gateway-at.ts'
import type { LoggedRequest } from './log-line.ts'

/** What became of one request. */
export type Warmed =
  /** Answered by the model, and kept if the cache keeps such answers. */
  | { readonly kind: 'filled'; readonly microUsd: number }
  /** It was there before. */
  | { readonly kind: 'kept' }
  | { readonly kind: 'bypassed'; readonly reason: string; readonly microUsd: number }
  /** Answered without a word of a cache. */
  | { readonly kind: 'uncached' }
  | { readonly kind: 'later'; readonly afterMs: number | undefined; readonly why: string }
  | { readonly kind: 'failed'; readonly why: string }
  /** No other will fare better. */
  | { readonly kind: 'refused'; readonly why: string }
  | { readonly kind: 'unreachable'; readonly why: string }

/** A gateway's model endpoints. */
export interface WarmGateway {
  /** Sends a request and reads its answer to the end. Rejects with the signal's reason alone. */
  send(request: LoggedRequest, signal: AbortSignal): Promise<Warmed>
  close(): Promise<void>
}

const MAX_BYTES = 67_108_864
const LONGEST_WAIT_MS = 3_600_000
/** Headers of a logged request that are part of what is asked; nothing that says who asked. */
const SENT_AGAIN = /^(?:anthropic-(?:beta|version)|openai-beta|x-switchyard-cache-(?:scope|tags|epsilon|ttl))$/

/**
 * The gateway at a URL, which is the operator's own word, so that addresses of any class are dialled; over plain HTTP only those of this
 * machine, or the key could be read on the way. Throws `INVALID_REQUEST`.
 */
export function warmGateway(url: string, key: Secret | undefined): WarmGateway {
  const { base, egress } = gatewayAt(url, 'a key', {
    maxResponseBytes: MAX_BYTES,
    headersTimeoutMs: 300_000,
    totalTimeoutMs: 600_000,
  })
  return {
    async send(request, signal) {
      try {
        const { status, headers, body } = await egress.request(new URL(`/v1/${request.endpoint}`, base), {
          method: 'POST',
          headers: { ...sentAgain(request.headers), ...auth(key), 'content-type': 'application/json' },
          body: JSON.stringify(wholeOf(request.body)),
          signal,
        })
        const text = Buffer.from(await body.bytes()).toString('utf8')
        return read(status, headers as Readonly<Record<string, string | undefined>>, text)
      } catch (error) {
        if (signal.aborted) throw error
        if (!SwitchyardError.is(error)) throw error
        return { kind: error.code === 'TIMEOUT' ? 'failed' : 'unreachable', why: error.message }
      }
    },
    close: () => egress.close(),
  }
}

function auth(key: Secret | undefined): Record<string, string> {
  return key === undefined ? {} : { authorization: `Bearer ${key.reveal()}` }
}

/** The headers of a logged request that are sent. */
export function sentAgain(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => SENT_AGAIN.test(name)))
}

/** Streamed and whole replies share an entry, and a whole one is sooner read. */
function wholeOf(body: LoggedRequest['body']): Readonly<Record<string, unknown>> {
  const { stream, stream_options: _, ...rest } = body
  return stream === true ? rest : body
}

function read(status: number, headers: Readonly<Record<string, string | undefined>>, text: string): Warmed {
  if (status < 300) return good(headers)
  const { code, message, isBudget } = errorIn(text)
  const why = `${status}${code === undefined ? '' : ` ${code}`}: ${message}`
  if (isBudget) return { kind: 'refused', why: `a budget is used up: ${message}` }
  // What a policy refuses is this request.
  if (status === 401 || (status === 403 && code !== 'policy_refused' && code !== 'permission_error'))
    return { kind: 'refused', why: `the gateway refuses the key (${why})` }
  if (status === 429 || status === 503)
    return { kind: 'later', afterMs: retryAfterMs(headers, Date.now(), LONGEST_WAIT_MS), why }
  return { kind: 'failed', why }
}

function good(headers: Readonly<Record<string, string | undefined>>): Warmed {
  const microUsd = Math.round(Number(headers['x-switchyard-cost-usd'] ?? 0) * 1e6) || 0
  switch (headers['x-switchyard-cache']) {
    case 'hit':
      return { kind: 'kept' }
    case 'miss':
      return { kind: 'filled', microUsd }
    case 'bypass':
      return { kind: 'bypassed', reason: headers['x-switchyard-cache-reason'] ?? 'without a reason', microUsd }
    default:
      return { kind: 'uncached' }
  }
}

const OUT_OF_MONEY: ReadonlySet<unknown> = new Set(['insufficient_quota', 'billing_error'])

interface Told {
  readonly code: string | undefined
  readonly message: string
  readonly isBudget: boolean
}

function errorIn(text: string): Told {
  try {
    const { error } = JSON.parse(text) as { readonly error?: Readonly<Record<string, unknown>> }
    const code = error?.code ?? error?.type
    return {
      code: typeof code === 'string' ? printable(code) : undefined,
      message: printable(String(error?.message ?? 'without a reason')),
      isBudget: error?.budget !== undefined || OUT_OF_MONEY.has(code),
    }
  } catch {
    return { code: undefined, message: 'nothing that a gateway says', isBudget: false }
  }
}

function printable(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, ' ').slice(0, 300)
}
