import type { Grant } from './grant.ts'
import type { Quota } from './quota.ts'

interface Standing {
  quota: Quota
  left: number
  share: number
}

/** Headers by which an upstream tells of limits of its own; ours stand in their place. Lower case. */
function tellsLimits(name: string): boolean {
  return name.startsWith('x-ratelimit-') || name === 'ratelimit' || name === 'ratelimit-policy'
}

/**
 * The headers of a reply with what is left of the limits: `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers) of the
 * window nearest to exhaustion, and `x-ratelimit-*` as OpenAI has them, of the nearest of requests and of tokens. A new object.
 */
export function withLimits(headers: Readonly<Record<string, string>>, grant: Grant): Readonly<Record<string, string>> {
  let requests: Standing | undefined
  let tokens: Standing | undefined
  for (const { group, sums } of grant.leases) {
    if (group.kind === 'slot') continue
    for (let at = 0; at < group.rows.length; at++) {
      const { quota } = group.rows[at] as (typeof group.rows)[number]
      const most = grant.local ? Number(quota.share) : quota.count
      const left = Math.max(0, most - Number(sums[at]))
      const share = left / most
      if (quota.unit === 'tokens') {
        if (tokens === undefined || share < tokens.share) tokens = { quota, left, share }
      } else if (requests === undefined || share < requests.share) requests = { quota, left, share }
    }
  }
  const nearest = tokens === undefined || (requests !== undefined && requests.share <= tokens.share) ? requests : tokens
  if (nearest === undefined) return headers
  const told: Record<string, string> = {}
  for (const name in headers) if (!tellsLimits(name)) told[name] = headers[name] as string
  told.ratelimit = `${nearest.quota.item};r=${nearest.left};t=${nearest.quota.resetSeconds}`
  told['ratelimit-policy'] = nearest.quota.policy
  if (requests !== undefined) {
    told['x-ratelimit-limit-requests'] = String(requests.quota.count)
    told['x-ratelimit-remaining-requests'] = String(requests.left)
    told['x-ratelimit-reset-requests'] = requests.quota.reset
  }
  if (tokens !== undefined) {
    told['x-ratelimit-limit-tokens'] = String(tokens.quota.count)
    told['x-ratelimit-remaining-tokens'] = String(tokens.left)
    told['x-ratelimit-reset-tokens'] = tokens.quota.reset
  }
  return told
}
