import { type Alternative, type Call, deploymentOf, type WellKnownAttributes } from '@switchyard/contract'
import type { Deployment } from './deployment.ts'

/** Deployments that can serve in each other's place: those of one operation and route. */
export interface Pool {
  readonly operation: string
  readonly route: string | undefined
  readonly members: Set<Deployment>
  seenAt: number
  /** When alternatives of a call were last looked at. */
  learnedAt: number
}

export interface PoolsOptions {
  /** Share of a pool that may be out for failing. */
  readonly maxShare: number
  readonly maxPools: number
  /** Finds or makes the deployment of that name; undefined where there is no room. */
  readonly find: (name: string, now: number) => Deployment | undefined
}

/** Which deployments stand in for which. */
export interface Pools {
  /** Notes where a deployment serves, and what else a call might have taken. */
  note(deployment: Deployment, call: Call, now: number): void
  /** Why a deployment may not be left out now; undefined where it may. `cooling`: for a time that its provider asked for. */
  spares(deployment: Deployment, now: number, cooling: boolean): string | undefined
  /** Takes a deployment out of every pool. */
  forget(deployment: Deployment): void
  all(): Iterable<Pool>
}

/** How often alternatives are looked at. */
const LEARN_MS = 1_000
/** A member that is well and was not used for so long serves no more. */
const MEMBER_MS = 600_000

/** Learns pools from calls: `attributes.route` and `alternatives` where a routing policy set them, else one pool an operation. */
export function learnPools({ maxShare, maxPools, find }: PoolsOptions): Pools {
  const operations = new Map<string, Map<string | undefined, Pool>>()
  let count = 0

  function poolOf(operation: string, route: string | undefined, now: number): Pool {
    let routes = operations.get(operation)
    if (routes === undefined) {
      routes = new Map()
      operations.set(operation, routes)
    }
    const known = routes.get(route)
    if (known !== undefined) return known
    if (count >= maxPools) dropOldest()
    const pool: Pool = { operation, route, members: new Set(), seenAt: now, learnedAt: Number.NEGATIVE_INFINITY }
    routes.set(route, pool)
    count += 1
    return pool
  }

  function dropOldest(): void {
    let oldest: Pool | undefined
    for (const pool of all()) if (oldest === undefined || pool.seenAt < oldest.seenAt) oldest = pool
    if (oldest === undefined) return
    for (const member of oldest.members) leave(member, oldest)
    operations.get(oldest.operation)?.delete(oldest.route)
    count -= 1
  }

  function* all(): Iterable<Pool> {
    for (const routes of operations.values()) yield* routes.values()
  }

  function join(deployment: Deployment, pool: Pool): void {
    pool.members.add(deployment)
    deployment.pools.add(pool)
  }

  function leave(deployment: Deployment, pool: Pool): void {
    pool.members.delete(deployment)
    deployment.pools.delete(pool)
    if (deployment.pool === pool) deployment.pool = undefined
  }

  function learn(pool: Pool, alternatives: readonly Alternative[], now: number): void {
    pool.learnedAt = now
    for (const alternative of alternatives) {
      const other = find(deploymentOf(alternative), now)
      if (other !== undefined) join(other, pool)
    }
  }

  return {
    note(deployment, call, now) {
      const { route: given } = call.attributes as WellKnownAttributes
      const route = typeof given === 'string' ? given : undefined
      let pool = deployment.pool
      if (pool === undefined || pool.route !== route || pool.operation !== call.operation) {
        pool = poolOf(call.operation, route, now)
        deployment.pool = pool
        join(deployment, pool)
      }
      pool.seenAt = now
      if (call.alternatives !== undefined && now - pool.learnedAt >= LEARN_MS) learn(pool, call.alternatives, now)
    },

    spares(deployment, now, cooling) {
      if (deployment.pools.size === 0) return 'not left out, since nothing is known to stand in for it'
      for (const pool of deployment.pools) {
        let size = 0
        let serving = 0
        let out = 0
        for (const member of pool.members) {
          const { state, cooling: waits, until } = member.standing
          if (state === 'healthy' && now - member.usedAt > MEMBER_MS) continue
          size += 1
          if (state === 'disabled') continue
          if (state === 'ejected' && until > now) out += waits ? 0 : 1
          else if (member !== deployment) serving += 1
        }
        if (serving === 0) return 'not left out, since it is the last of its pool'
        if (!cooling && out + 1 > Math.max(1, Math.floor(size * maxShare))) {
          return `not left out, since ${out} of ${size} of its pool are`
        }
      }
      return undefined
    },

    forget(deployment) {
      for (const pool of deployment.pools) leave(deployment, pool)
    },

    all,
  }
}
