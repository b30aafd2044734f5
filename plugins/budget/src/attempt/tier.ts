import type { Tier } from '@switchyard/catalog'

/** The price class that a request asks for, as vendors name it in `service_tier` or `speed`. Whatever else it says is standard. */
export function tierOf(body: Readonly<Record<string, unknown>>): Tier {
  const { service_tier: tier } = body
  if (tier === 'flex' || tier === 'priority' || tier === 'batch') return tier
  return body.speed === 'fast' || tier === 'fast' ? 'fast' : 'standard'
}
