import { definePlugin, type PluginFactory } from '@switchyard/contract'
import { deadlinePolicy } from './deadline.ts'
import { type ResilienceInput, resilienceOptions } from './options.ts'
import { retryPolicy } from './retry.ts'
import { settingsFor } from './settings.ts'

/** Policies `deadline` and, inside it, `retry`, for every operation. Provides no port and holds no state between calls. */
export const resilience: PluginFactory<ResilienceInput> = definePlugin({
  name: '@switchyard/resilience',
  contract: 1,
  options: resilienceOptions,
  setup({ options, clock, random, instance }) {
    const settings = settingsFor(options)
    return {
      ports: {},
      policies: [
        deadlinePolicy({
          name: `${instance}/deadline`,
          plugin: instance,
          clock,
          settings: (operation) => settings(operation).deadline,
        }),
        retryPolicy({ name: `${instance}/retry`, clock, random, settings: (operation) => settings(operation).retry }),
      ],
    }
  },
})
