import { definePlugin, type PluginFactory, type Policy } from '@switchyard/contract'
import { attemptPolicy } from './attempt/attempt-policy.ts'
import { breakerPolicy } from './breaker/breaker-policy.ts'
import { bulkheadPolicy } from './bulkhead/bulkhead-policy.ts'
import { deadlinePolicy } from './deadline/deadline-policy.ts'
import { degradePolicy } from './degrade/degrade-policy.ts'
import { fallbackPolicy } from './fallback/fallback-policy.ts'
import { Hedges } from './fallback/hedges.ts'
import { hedgePolicy } from './hedge/hedge-policy.ts'
import { Lanes } from './lanes.ts'
import { type ResilienceInput, resilienceOptions } from './options.ts'
import { retryPolicy } from './retry/retry-policy.ts'
import { anywhere, settingsFor } from './settings.ts'
import { shedPolicy } from './shed/shed-policy.ts'
import { systemPressure } from './shed/system-pressure.ts'
import './events.ts'

/**
 * Every guard there is, as policies for every operation, outermost first: `deadline` and `shed` at stage `admit`; `degrade`, `fallback`,
 * `hedge`, `retry`, `breaker`, `bulkhead` and `attempt` at stage `resilience`. `shed`, `degrade` and `hedge` stand there only where an
 * operation uses them. Provides no port; what it knows of targets it keeps in memory.
 */
export const resilience: PluginFactory<ResilienceInput> = definePlugin({
  name: '@switchyard/resilience',
  contract: 1,
  options: resilienceOptions,
  setup({ options, clock, random, instance: plugin, emit, onClose }) {
    const settings = settingsFor(options)
    const lanes = new Lanes({ plugin, random, emit }, settings)
    const hedges = new Hedges()
    const of = (policy: string): { readonly name: string; readonly plugin: string } => ({ name: `${plugin}/${policy}`, plugin })
    const deadline = deadlinePolicy({ ...of('deadline'), clock, settings: (operation) => settings(operation).deadline })
    const policies: Policy[] = [deadline]
    let sheds = (): boolean => false
    if (anywhere(options, ({ shed }) => shed.enabled)) {
      const { pressure } = options
      const { read, close } = systemPressure(pressure)
      onClose(close)
      const shedding = shedPolicy({
        ...of('shed'),
        clock,
        random,
        emit,
        pressure,
        read,
        settings,
      })
      onClose(shedding.close)
      policies.push(shedding.policy)
      sheds = shedding.sheds
    }
    if (anywhere(options, ({ degrade }) => degrade.ladder.length > 0))
      policies.push(degradePolicy({ ...of('degrade'), clock, settings: (operation) => settings(operation).degrade }))
    policies.push(fallbackPolicy({ ...of('fallback'), clock, settings, hedges }))
    if (anywhere(options, ({ hedge }) => hedge.enabled))
      policies.push(hedgePolicy({ ...of('hedge'), clock, lanes, hedges, sheds }))
    policies.push(
      retryPolicy({ ...of('retry'), clock, random, lanes }),
      breakerPolicy({ ...of('breaker'), clock, lanes }),
      bulkheadPolicy({ ...of('bulkhead'), clock, lanes }),
      attemptPolicy({ ...of('attempt'), clock, lanes }),
    )
    return { ports: {}, policies }
  },
})
