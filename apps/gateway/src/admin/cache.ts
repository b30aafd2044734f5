import { type CacheAdmin, cacheAdmin, type Invalidated } from '@switchyard/cache'
import { SwitchyardError } from '@switchyard/contract'
import { systemClock } from '@switchyard/kernel'
import type { ServerParts } from '../server/http-server.ts'
import type { AdminHandler, AdminRequest } from './admin-route.ts'
import { cacheMoney } from './cache-money.ts'
import { invalidationIn, rejectionIn } from './cache-order.ts'
import { cacheView } from './cache-view.ts'
import { costAsk } from './cost-query.ts'
import { jsonBody } from './json-body.ts'
import { onlyKnown } from './query.ts'

const ROUTES: ReadonlyMap<string, AdminHandler> = new Map<string, AdminHandler>([
  ['GET /admin/cache', showCache],
  ['POST /admin/cache/invalidate', invalidate],
  ['POST /admin/cache/reject', reject],
])

/** The handler of a path at or below `/admin/cache`; undefined where there is none. */
export function cacheHandler(method: string | undefined, path: string): AdminHandler | undefined {
  return ROUTES.get(`${method} ${path}`)
}

/**
 * `GET /admin/cache`: what became of this node's calls beside what repeats allow, how likeness stands, and how the store does; of `from` to
 * `to` (exclusive; default: the month so far), over all nodes, what hits saved less what the cache's own calls cost.
 */
async function showCache({ exchange, parts, query }: AdminRequest): Promise<void> {
  onlyKnown(query, ['from', 'to', 'timeZone'])
  const { rows } = costAsk(query, [], systemClock.now())
  const [first] = adminsOf(parts)
  const money = await cacheMoney(parts, rows)
  exchange.json(200, cacheView(first.report(), money))
}

/** `POST /admin/cache/invalidate`: once it answers, nothing that was stored before is served on any node. */
async function invalidate({ exchange, parts, query, keyId }: AdminRequest): Promise<void> {
  onlyKnown(query, [])
  const { what, dryRun } = invalidationIn(await jsonBody(exchange.request))
  const done: Invalidated[] = []
  for (const one of adminsOf(parts)) done.push(await one.invalidate(what, { by: keyId, dryRun }))
  const counts = done.map(({ count }) => count)
  const count = counts.some((one) => one === undefined) ? null : counts.reduce<number>((sum, one) => sum + (one as number), 0)
  const tags = [...new Set(done.flatMap((one) => one.tags))]
  const exact = done.every((one) => one.exact)
  parts.log.info({ requestId: exchange.id, key: keyId, ...what, count, dryRun }, 'cache invalidation')
  exchange.json(200, { object: 'cache_invalidation', tags, count, exact, dry_run: dryRun })
}

/** `POST /admin/cache/reject`: the answer to a request was wrong. `NOT_FOUND` where this node gave none from the cache of late. */
async function reject({ exchange, parts, query, keyId }: AdminRequest): Promise<void> {
  onlyKnown(query, [])
  const { tenant, requestId } = rejectionIn(await jsonBody(exchange.request))
  adminsOf(parts)
  if (!(await rejectCached(parts, tenant, requestId)))
    throw new SwitchyardError(
      'NOT_FOUND',
      'this node gave no answer from the cache to such a request of that tenant of late; ask the node that gave it, or invalidate by tag',
    )
  parts.log.info({ requestId: exchange.id, key: keyId, tenant, rejected: requestId }, 'cached answer rejected')
  exchange.json(200, { object: 'cache_rejection', tenant, request_id: requestId, rejected: true })
}

/** Takes out what a request was answered with, at every cache of the assembly. False where none served it. */
export async function rejectCached({ kernel }: ServerParts, tenant: string, requestId: string): Promise<boolean> {
  let rejected = false
  for (const one of kernel.all(cacheAdmin).values()) if (await one.reject(tenant, requestId)) rejected = true
  return rejected
}

function adminsOf({ kernel }: ServerParts): readonly [CacheAdmin, ...CacheAdmin[]] {
  const [first, ...more] = kernel.all(cacheAdmin).values()
  if (first !== undefined) return [first, ...more]
  throw new SwitchyardError('NOT_FOUND', 'no plugin of the assembly caches replies: add @switchyard/cache')
}
