import type { Clock } from '@switchyard/contract'
import { createEgress } from '@switchyard/egress'
import { jwks } from './jwks.ts'
import type { JwtOptions } from './options.ts'
import type { Issuer } from './token-check.ts'

const MAX_BYTES = 262_144
const TIMEOUT_MS = 5_000

/** The configured issuers, each with a way out of its own, which the guard judges. */
export function openIssuers(
  all: readonly JwtOptions[],
  {
    clock,
    instance,
    onClose,
  }: { readonly clock: Clock; readonly instance: string; onClose(release: () => Promise<void>): void },
): readonly Issuer[] {
  return all.map((rules) => {
    const egress = createEgress(
      {
        schemes: rules.egress.http ? ['https:', 'http:'] : ['https:'],
        allow: rules.egress.allow,
        maxResponseBytes: MAX_BYTES,
        totalTimeoutMs: TIMEOUT_MS,
        connections: 2,
      },
      { plugin: instance, clock },
    )
    onClose(() => egress.close())
    const { jwksUrl: url, jwksMaxAgeMs: maxAgeMs, jwksCooldownMs: cooldownMs } = rules
    return { rules, jwks: jwks({ url, maxAgeMs, cooldownMs, egress, clock }) }
  })
}
