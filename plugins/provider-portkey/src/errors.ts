import { type Clock, SwitchyardError } from '@switchyard/contract'
import { retryAfterMs } from '@switchyard/egress'
import { type ErrorOf, openaiError, redacted } from '@switchyard/model-wire'

const CAP_MS = 86_400_000
const UNREACHABLE = /fetch failed|ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|socket hang up|unable to connect/i

export interface ErrorContext {
  readonly instance: string
  readonly clock: Clock
  /** Credentials that were sent. */
  readonly secrets: readonly string[]
}

/** What of the request matters to its error. */
export interface Asked {
  readonly stream: boolean
  /** The client sent a config of its own, so a refused one is the client's to mend. */
  readonly ownConfig: boolean
}

/**
 * Portkey's error replies as SwitchyardError. Portkey's own refusals have no `x-portkey-*` header and are ours to mend; its own
 * failures carry `x-portkey-gateway-exception`; the rest is the provider's word.
 */
export function errorFor({ instance, clock, secrets }: ErrorContext, asked: Asked): ErrorOf {
  return (reply): SwitchyardError => {
    const { status, headers, body } = reply
    const text = Buffer.from(body).toString('utf8')
    const parsed = parse(text)
    const details = { status }
    const make = (
      code: ConstructorParameters<typeof SwitchyardError>[0],
      what: string,
      more: { readonly retryable?: boolean } = {},
    ): SwitchyardError => new SwitchyardError(code, `${instance}: ${what}`, { plugin: instance, details, ...more })

    if (status === 412) return make('BUDGET_EXCEEDED', 'the budget at hosted Portkey is used up')
    if (status === 431) return make('INTERNAL', 'the headers sent to Portkey were too large; shorten metadata or config')
    if (status === 446) return make('POLICY_REFUSED', 'a guardrail at Portkey denied the request')
    if (status === 408) return make('TIMEOUT', 'Portkey gave up waiting for the provider')
    if (headers['x-portkey-gateway-exception'] === 'true') {
      if (/is not supported by/.test(text))
        return make('UNSUPPORTED', 'Portkey has no adapter for this endpoint of the provider')
      if (asked.stream) {
        return make(
          'UPSTREAM_INVALID',
          'Portkey failed on a stream. If every stream fails: its @hono/node-server is 1.14 or later; pin 1.13.8 by "overrides"',
        )
      }
      return make('UPSTREAM_INVALID', 'Portkey failed by itself; the provider’s reply may not have been JSON')
    }
    if (UNREACHABLE.test(text) && status >= 500) return make('UPSTREAM_UNAVAILABLE', 'Portkey could not reach the provider')
    if (status === 400 && parsed?.status === 'failure' && !Object.keys(headers).some((name) => name.startsWith('x-portkey-'))) {
      const code = asked.ownConfig ? 'INVALID_REQUEST' : 'CONFIG_INVALID'
      return make(code, `Portkey refused the configuration: ${redacted(String(parsed.message ?? 'no reason given'), secrets)}`)
    }
    return openaiError({ status, body, plugin: instance, secrets, retryAfterMs: retryAfterMs(headers, clock.now(), CAP_MS) })
  }
}

function parse(text: string): { readonly status?: unknown; readonly message?: unknown } | undefined {
  try {
    return JSON.parse(text) as { status?: unknown; message?: unknown }
  } catch {
    return undefined
  }
}
