import { SwitchyardError } from '@switchyard/contract'
import { createEgress, type Egress, type EgressPolicy } from '@switchyard/egress'

/** A gateway that runs. */
export interface GatewayAt {
  readonly base: URL
  /** It is on this machine. */
  readonly isNear: boolean
  readonly egress: Egress
}

const NEAR = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/

/**
 * The way to the gateway at a URL, which is the operator's own word, so that addresses of any class are dialled; over plain HTTP only those of this
 * machine, or `key` could be read on the way. Throws `INVALID_REQUEST`.
 */
export function gatewayAt(url: string, key: string, limits: Omit<Partial<EgressPolicy>, 'schemes' | 'allow'>): GatewayAt {
  if (!URL.canParse(url))
    throw new SwitchyardError(
      'INVALID_REQUEST',
      `--url: ${JSON.stringify(url.slice(0, 100))} is no URL such as https://gateway.example`,
    )
  const base = new URL(url)
  const isNear = NEAR.test(base.hostname)
  if (base.protocol === 'http:' && !isNear)
    throw new SwitchyardError('INVALID_REQUEST', `--url: over http: ${key} could be read on its way; use https:`)
  const egress = createEgress({
    schemes: ['https:', 'http:'],
    allow: ['127.0.0.0/8', '::1/128', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
    ...limits,
  })
  return { base, isNear, egress }
}

/** What an admin API says of a refusal, at most 500 characters. */
export function detailIn(text: string): string {
  try {
    const { detail, title } = JSON.parse(text) as { readonly detail?: unknown; readonly title?: unknown }
    return String(detail ?? title ?? 'without a reason').slice(0, 500)
  } catch {
    return 'nothing that an admin API says'
  }
}
