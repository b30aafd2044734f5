import { randomUUID } from 'node:crypto'
import {
  bus,
  counters,
  definePlugin,
  type HealthChange,
  health as healthToken,
  many,
  model,
  optional,
  type PluginFactory,
  sql,
} from '@switchyard/contract'
import { assemble } from './assemble.ts'
import { type HealthInput, healthOptions } from './options.ts'

declare module '@switchyard/contract' {
  interface KernelEvents {
    /** At each change of a deployment's state, at every node that makes it. */
    'health:changed': HealthChange
  }
}

/** What is known of each deployment, from live traffic and probes: port `health`, and a policy that observes every attempt. */
export const health: PluginFactory<HealthInput> = definePlugin({
  name: '@switchyard/health',
  contract: 1,
  options: healthOptions,
  requires: { providers: many(model), bus: optional(bus), counters: optional(counters), sql: optional(sql) },
  provides: { health: healthToken },
  async setup(ctx) {
    const { options, deps, instance, clock, random, log } = ctx
    const { port, policy, start, close } = await assemble({
      ...deps,
      options,
      instance,
      // An identity, not chance: two nodes with one seed must still differ.
      node: `${instance}-${randomUUID()}`,
      clock,
      random,
      log,
      emit: (change) => ctx.emit('health:changed', change),
    })
    ctx.onClose(close)
    await start()
    return { ports: { health: port }, policies: [policy] }
  },
})
