import { join } from 'node:path'
import { budget } from '@switchyard/budget'
import { cacheMemory } from '@switchyard/cache-memory'
import { cacheRedis } from '@switchyard/cache-redis'
import { catalog } from '@switchyard/catalog'
import { sqlite } from '@switchyard/connector-sqlite'
import {
  type Call,
  type Counters,
  counters,
  definePlugin,
  type ModelReply,
  type Plugin,
  SwitchyardError,
} from '@switchyard/contract'
import { type Kernel, startKernel } from '@switchyard/kernel'
import { ask } from './ask.ts'
import type { Client } from './client.ts'
import { bodyOf, type LoadCall } from './load.ts'
import { benchCatalog, MODEL } from './price.ts'
import { LEASE, type NodeSettings } from './schemes.ts'

/** Without a schema of their own: what the bench gives its plugins is right. */
const ANY_OPTIONS = { '~standard': { version: 1, vendor: 'bench', validate: (value: unknown) => ({ value }) } } as const

const PRINCIPAL = { tenant: 'bench', team: 'blue', keyId: 'key', roles: [] } as const
const NOTHING = new Uint8Array()

interface UnderWay {
  readonly load: LoadCall
  readonly controller: AbortController
}

/** A kernel with the real budget over counters on Redis and a ledger in SQLite, which all processes share. */
export async function switchyardClient({ scheme, limitUsd, upstreamUrl, redisUrl, folder }: NodeSettings): Promise<Client> {
  const underWay = new Map<string, UnderWay>()
  const keys = new Set<string>()
  const doubled = new Set<string>()
  const source = benchCatalog()
  const prices = definePlugin({
    name: 'prices',
    contract: 1,
    options: ANY_OPTIONS,
    provides: { catalog },
    setup: () => ({ ports: { catalog: source } }),
  })
  const upstream = definePlugin({
    name: 'upstream',
    contract: 1,
    options: ANY_OPTIONS,
    setup: () => ({
      ports: {},
      serves: { 'model.invoke': (call) => invoke(call, underWay.get(call.id) as UnderWay, upstreamUrl) },
    }),
  })
  const kernel = await startKernel({
    plugins: [
      doubling(redisUrl === undefined ? cacheMemory() : cacheRedis({ url: redisUrl }), keys, doubled),
      sqlite({ path: join(folder, 'ledger.db'), synchronous: 'normal' }),
      prices(),
      upstream(),
      budget({
        budgets: [
          { name: 'team', level: 'team', window: 'total', limitUsd },
          { name: 'org', level: 'org', window: 'month', limitUsd: limitUsd * 10 },
        ],
        journal: { directory: join(folder, 'journal') },
        hold: scheme === 'p90' ? 'p90' : 'worst',
        ...LEASE,
        sweepMs: 500,
      }),
    ],
  })
  return {
    async send(load) {
      const controller = new AbortController()
      underWay.set(load.id, { load, controller })
      if (load.settledTwice) doubled.add(load.id)
      try {
        const reply = await kernel.call('model.invoke', {
          id: load.id,
          target: 'upstream',
          principal: PRINCIPAL,
          signal: controller.signal,
          request: requestOf(load),
        })
        await reply.ended
        return 'done'
      } catch (error) {
        if (SwitchyardError.is(error, 'BUDGET_EXCEEDED')) return 'refused'
        if (SwitchyardError.is(error, 'ABORTED') && controller.signal.aborted) return 'done'
        if (SwitchyardError.is(error, 'UPSTREAM_UNAVAILABLE') && error.details?.guard === 'budget') return 'away'
        throw error
      } finally {
        underWay.delete(load.id)
      }
    },
    audit: () =>
      sumsOf(
        kernel,
        [...keys].filter((key) => key.includes(':b:')),
      ),
    close: () => kernel.close(),
  }
}

async function sumsOf(kernel: Kernel, keys: readonly string[]): Promise<Readonly<Record<string, string>>> {
  const sums = await kernel.get(counters).read(keys)
  return Object.fromEntries(keys.map((key, index) => [key, String(sums[index])]))
}

function requestOf(load: LoadCall): Call<'model.invoke'>['request'] {
  const body = bodyOf(load, MODEL)
  return { endpoint: 'chat/completions', model: MODEL, body, raw: Buffer.from(JSON.stringify(body)), stream: true }
}

async function invoke(call: Call<'model.invoke'>, { load, controller }: UnderWay, url: string): Promise<ModelReply> {
  let outputTokens = 0
  const { ended } = await ask(url, load, call.signal, (tokens) => {
    outputTokens = tokens
    if (load.leavesAt !== undefined && tokens >= load.leavesAt) controller.abort()
  })
  const usage = (): ModelUsage => ({ inputTokens: load.inputTokens, outputTokens })
  return {
    status: 200,
    headers: {},
    body: NOTHING,
    ended: ended.then(
      (whole) =>
        whole
          ? { outcome: 'complete', usage: usage(), usageSource: 'reported' }
          : { outcome: 'truncated', error: broken(), usage: usage(), usageSource: 'estimated' },
      () => ({ outcome: 'aborted', error: broken(), usage: usage(), usageSource: 'estimated' }),
    ),
  }
}

type ModelUsage = Awaited<ModelReply['ended']>['usage']

function broken(): SwitchyardError {
  return new SwitchyardError('ABORTED', 'the reply broke off')
}

/**
 * The same plugin with counters that settle some leases twice, as a worker does that is not sure of its first try, and that notes which
 * keys were asked for. Its lease notes name the call.
 */
function doubling(plugin: Plugin, keys: Set<string>, doubled: Set<string>): Plugin {
  const { definition } = plugin
  return {
    ...plugin,
    definition: {
      ...definition,
      async setup(ctx) {
        const made = await definition.setup(ctx)
        return { ...made, ports: { ...made.ports, counters: twice(made.ports.counters as Counters, keys, doubled) } }
      },
    },
  }
}

function twice(counted: Counters, keys: Set<string>, doubled: Set<string>): Counters {
  const leases = new Set<string>()
  return {
    ...counted,
    reserve(rows, lease, options) {
      for (const { key } of rows) keys.add(key)
      const call = /^\["[^"]*","([^"]*)"/.exec(lease.note ?? '')?.[1]
      if (call !== undefined && doubled.delete(call)) leases.add(lease.id)
      return counted.reserve(rows, lease, options)
    },
    async settle(id, amounts, options) {
      const again = leases.delete(id)
      const settled = await counted.settle(id, amounts, options)
      if (again) await counted.settle(id, amounts, options)
      return settled
    },
  }
}
