import type { Clock, Plugin, Port } from '@switchyard/contract'
import { systemClock } from '../clock/system-clock.ts'
import { virtualClock } from '../clock/virtual-clock.ts'
import type { Subject } from '../conformance/suite.ts'
import { type StartPluginOptions, startPlugin } from './start-plugin.ts'

export interface PluginSubjectOptions<T, F> extends Omit<StartPluginOptions, 'clock'> {
  /** Named in reports. Default: the id of the port. */
  readonly name?: string
  /** Which of the plugin's ports is examined. */
  readonly port: Port<T>
  /** Makes the plugin for one case, given what the case needs beside it. */
  plugin(fixture: F): Plugin
  /** `system` for a plugin whose server keeps time by itself, so that advancing waits. Default: `virtual`. */
  readonly clock?: 'virtual' | 'system'
  /** Opens what the suite needs beside the instance: once a case, closed after the plugin. */
  readonly fixture?: () => Promise<{ readonly fixture: F; close(): Promise<void> }>
}

/** A subject that starts a plugin anew for every case and gives the suite one of its ports. */
export function pluginSubject<T, F = undefined>(options: PluginSubjectOptions<T, F>): Subject<T, F> {
  const { port, plugin, fixture: openFixture, clock: kind = 'virtual', name, ...start } = options
  return {
    name: name ?? port.id,
    async open() {
      const beside = await openFixture?.()
      try {
        const virtual = kind === 'virtual' ? virtualClock() : undefined
        const clock: Clock = virtual ?? systemClock()
        const started = await startPlugin(plugin(beside?.fixture as F), { ...start, clock })
        return {
          instance: started.port(port),
          now: () => clock.now(),
          advance: (ms) => (virtual === undefined ? clock.sleep(ms) : virtual.advance(ms)),
          fixture: beside?.fixture as F,
          async close() {
            try {
              await started.close()
            } finally {
              await beside?.close()
            }
          },
        }
      } catch (error) {
        await beside?.close()
        throw error
      }
    },
  }
}
