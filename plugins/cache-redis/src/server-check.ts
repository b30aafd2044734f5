import { type Logger, SwitchyardError } from '@switchyard/contract'
import { Cluster } from 'ioredis'
import type { Client } from './connection.ts'
import { toSwitchyardError } from './errors.ts'

/** What an INFO reply says that matters to counters. */
export interface ServerFacts {
  readonly mode: string | undefined
  readonly maxmemory: number
  readonly policy: string | undefined
}

/** Reads an INFO reply; fields that are not there are undefined or 0. */
export function factsOf(info: string): ServerFacts {
  const fields = new Map(
    info.split('\r\n').map((line) => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon), line.slice(colon + 1)] as const
    }),
  )
  return {
    mode: fields.get('redis_mode'),
    maxmemory: Number(fields.get('maxmemory') ?? 0),
    policy: fields.get('maxmemory_policy'),
  }
}

/** Why counters may be lost at such a server; undefined where they are safe. Keys without an expiry are safe under `volatile-*`. */
export function evictionRisk({ maxmemory, policy }: ServerFacts): string | undefined {
  if (maxmemory === 0 || policy === undefined || !policy.startsWith('allkeys-')) return undefined
  return `maxmemory-policy is ${policy}: when memory is short Redis drops counters, and with them what was spent; set it to noeviction`
}

/**
 * Looks at every master once: warns where it may evict counters. A server that keeps INFO to itself is left unjudged.
 * @throws SwitchyardError CONFIG_INVALID where a lone node turns out to belong to a cluster.
 */
export async function checkServer(client: Client, log: Pick<Logger, 'warn' | 'debug'>): Promise<void> {
  const nodes = client instanceof Cluster ? client.nodes('master') : [client]
  const infos = await Promise.allSettled(nodes.map((node) => node.info()))
  for (const info of infos) {
    if (info.status === 'rejected') {
      log.debug({ error: toSwitchyardError(info.reason).message }, 'INFO was refused, so eviction is not checked')
      continue
    }
    const facts = factsOf(info.value)
    if (facts.mode === 'cluster' && !(client instanceof Cluster)) {
      throw new SwitchyardError(
        'CONFIG_INVALID',
        'redis: this node belongs to a Redis Cluster; give some nodes of it in the option `cluster`',
      )
    }
    const risk = evictionRisk(facts)
    if (risk !== undefined) log.warn({ policy: facts.policy, maxmemory: facts.maxmemory }, risk)
  }
}
