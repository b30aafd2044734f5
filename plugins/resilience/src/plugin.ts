import { randomUUID } from 'node:crypto'
import { bus, definePlugin, many, model, optional, type PluginFactory } from '@switchyard/contract'
import { BreakerHints } from './breaker/breaker-hints.ts'
import { guards } from './guards.ts'
import { Lanes } from './lanes.ts'
import { type ResilienceInput, resilienceOptions } from './options.ts'
import { settingsFor } from './settings.ts'
import './events.ts'

/**
 * Every guard there is, as policies for every operation, outermost first: `deadline` and `shed` at stage `admit`; `degrade`, `fallback`,
 * `hedge`, `retry`, `quarantine`, `breaker`, `bulkhead` and `attempt` at stage `resilience`. `shed`, `degrade` and `hedge` stand there
 * only where an operation uses them. Provides no port; what it knows of targets it keeps in memory. With a `bus`, nodes hear of each
 * other's breakers.
 */
export const resilience: PluginFactory<ResilienceInput> = definePlugin({
  name: '@switchyard/resilience',
  contract: 1,
  options: resilienceOptions,
  requires: { providers: many(model), bus: optional(bus) },
  async setup({ options, deps, instance: plugin, clock, random, log, emit, onClose }) {
    const settings = settingsFor(options)
    // An identity, not chance: two nodes with one seed must still differ.
    const node = `${plugin}-${randomUUID()}`
    const hints = new BreakerHints({ bus: deps.bus, node, clock, log, ...options.fleet })
    onClose(() => hints.close())
    const selectors = new Map([...deps.providers].map(([name, { capabilities }]) => [name, capabilities.selectors ?? []]))
    const tellNodes = hints.tell.bind(hints)
    const lanes = new Lanes({ plugin, random, emit, selectors, tellNodes }, settings)
    await hints.start()
    return { ports: {}, policies: guards({ plugin, options, settings, lanes, hints, clock, random, emit, onClose }) }
  },
})
