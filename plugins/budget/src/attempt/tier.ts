import { type Tier, tierOf as tierNamed } from '@switchyard/catalog'

/** The price class that a request asks for, as vendors name it in `service_tier` or `speed`. Whatever else it says is standard. */
export function tierOf(body: Readonly<Record<string, unknown>>): Tier {
  const { service_tier: tier } = body
  if (tier === 'flex' || tier === 'priority' || tier === 'batch') return tier
  return body.speed === 'fast' || tier === 'fast' ? 'fast' : 'standard'
}

/**
 * The price class that an attempt is billed at: what the reply says, else what was asked for. A cheaper one than the standard counts only
 * where the reply grants it, or whoever names it would pay half at an upstream that does not heed it.
 */
export function servedTier(asked: Tier, said: string | undefined): Tier {
  return tierNamed(said) ?? (asked === 'flex' || asked === 'batch' ? 'standard' : asked)
}
