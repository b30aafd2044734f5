import { counters, definePlugin, optional, type PluginFactory, type Policy, SwitchyardError } from '@switchyard/contract'
import { Exceeded } from './exceeded.ts'
import { Gate } from './gate.ts'
import { limitPolicy } from './limit-policy.ts'
import { type Limit, type RateLimitInput, rateLimitOptions } from './options.ts'
import { type Group, Plans } from './plan.ts'
import { Slots } from './slots.ts'

/**
 * Limits of requests and tokens a window and of calls at once, counted on the port `counters`: exact over a fleet where that is shared.
 * Limits per `target` are judged at stage `transport`, for each attempt; all others at `admit`. Without limits it adds no policy.
 */
export const rateLimit: PluginFactory<RateLimitInput> = definePlugin({
  name: '@switchyard/rate-limit',
  contract: 1,
  options: rateLimitOptions,
  requires: { counters: optional(counters) },
  setup({ options, deps, clock, random, log, instance: plugin, emit, onClose }) {
    if (options.limits.length === 0) return { ports: {} }
    if (deps.counters === undefined) {
      const message = `${plugin} has limits and nothing to count them on; list a plugin that provides counters, such as cacheMemory()`
      throw new SwitchyardError('DEPENDENCY_MISSING', message, { plugin })
    }
    const { whenStoreAway, storeRetryMs, nodes, concurrencyLeaseMs } = options
    const slots = new Slots(clock, concurrencyLeaseMs)
    onClose(() => slots.close())
    const gate = new Gate({ plugin, counters: deps.counters, clock, log, whenStoreAway, storeRetryMs })
    const exceeded = new Exceeded(plugin, emit)
    const node = Math.floor(random() * 2 ** 48).toString(36) + Math.floor(random() * 2 ** 48).toString(36)
    let leases = 0
    const placed = {
      plugin,
      clock,
      random,
      options,
      slots,
      concurrencyLeaseMs,
      gate,
      exceeded,
      newLeaseId: ({ idPrefix }: Group) => `${idPrefix}${node}:${++leases}`,
      failed: (error: unknown) => gate.failed(error),
    }
    const policies: Policy[] = []
    const place = (name: string, stage: 'admit' | 'transport', limits: readonly Limit[]): void => {
      if (limits.length === 0) return
      const plans = new Plans({ plugin, nodes, concurrencyLeaseMs }, limits)
      policies.push(limitPolicy({ ...placed, name: `${plugin}/${name}`, stage, tells: stage === 'admit', plans }))
    }
    place(
      'calls',
      'admit',
      options.limits.filter(({ per }) => !per.includes('target')),
    )
    place(
      'attempts',
      'transport',
      options.limits.filter(({ per }) => per.includes('target')),
    )
    return { ports: {}, policies }
  },
})
