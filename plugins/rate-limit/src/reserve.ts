import type { Call, Clock } from '@switchyard/contract'
import { Grant, type GrantContext } from './grant.ts'
import type { LimitCounters } from './local-counters.ts'
import { counterRows, type Plan } from './plan.ts'
import { type Refused, refusedBy } from './refusal.ts'
import type { TokenNeed } from './tokens.ts'

/**
 * Reserves all groups of a plan, or none: what an earlier group granted is given back when a later one refuses. Rejects as the counters
 * do, also with nothing kept, as far as they can still be reached.
 */
export async function reserve(
  context: GrantContext & { readonly clock: Pick<Clock, 'now'> },
  counters: LimitCounters,
  local: boolean,
  call: Call,
  plan: Plan,
  need: TokenNeed | undefined,
): Promise<Grant | Refused> {
  const { clock } = context
  const grant = new Grant(context, call, counters, local, need)
  let now = clock.now()
  // A copy, since a call beside this one may be changing the order.
  const groups = plan.groups.length === 1 ? plan.groups : [...plan.groups]
  for (const group of groups) {
    now = clock.now()
    const id = context.newLeaseId(group)
    const rows = counterRows(group, need, local)
    const lease = { id, expiresAt: now + group.windowMs }
    let answer: Awaited<ReturnType<LimitCounters['reserve']>>
    try {
      answer = await counters.reserve(rows, lease)
    } catch (error) {
      // It may have been granted all the same.
      grant.leases.push({ group, id, sums: [] })
      void grant.giveBack()
      throw error
    }
    if (answer.granted) {
      grant.leases.push({ group, id, sums: answer.sums })
      continue
    }
    await grant.giveBack()
    const { key, available, freesAt } = answer
    const at = Math.max(
      0,
      rows.findIndex((row) => row.key === key),
    )
    const { amount, limit = 0n } = rows[at] as (typeof rows)[number]
    toFront(plan, group)
    return refusedBy((group.rows[at] as (typeof group.rows)[number]).quota, amount, limit, available, freesAt, now)
  }
  grant.begin(now)
  return grant
}

function toFront({ groups }: Plan, group: Plan['groups'][number]): void {
  const at = groups.indexOf(group)
  if (at <= 0) return
  groups.splice(at, 1)
  groups.unshift(group)
}
