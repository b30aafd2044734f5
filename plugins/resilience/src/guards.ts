import type { Policy, SetupContext } from '@switchyard/contract'
import { attemptPolicy } from './attempt/attempt-policy.ts'
import type { BreakerHints } from './breaker/breaker-hints.ts'
import { breakerPolicy } from './breaker/breaker-policy.ts'
import { bulkheadPolicy } from './bulkhead/bulkhead-policy.ts'
import { deadlinePolicy } from './deadline/deadline-policy.ts'
import { degradePolicy } from './degrade/degrade-policy.ts'
import { fallbackPolicy } from './fallback/fallback-policy.ts'
import { Hedges } from './fallback/hedges.ts'
import { hedgePolicy } from './hedge/hedge-policy.ts'
import type { Lanes } from './lanes.ts'
import type { ResilienceOptions } from './options.ts'
import { quarantinePolicy } from './quarantine/quarantine-policy.ts'
import { retryPolicy } from './retry/retry-policy.ts'
import { anywhere, type Settings } from './settings.ts'
import { shedPolicy } from './shed/shed-policy.ts'
import { systemPressure } from './shed/system-pressure.ts'

/** What the guards stand on. */
export interface GuardParts extends Pick<SetupContext<unknown, unknown>, 'clock' | 'random' | 'emit' | 'onClose'> {
  /** Plugin instance. */
  readonly plugin: string
  readonly options: ResilienceOptions
  readonly settings: (operation: string) => Settings
  readonly lanes: Lanes
  readonly hints: BreakerHints
}

/** The policies, outermost first; those that no operation uses are not among them. */
export function guards({ plugin, options, settings, lanes, hints, clock, random, emit, onClose }: GuardParts): Policy[] {
  const of = (policy: string): { readonly name: string; readonly plugin: string } => ({ name: `${plugin}/${policy}`, plugin })
  const policies: Policy[] = [
    deadlinePolicy({ ...of('deadline'), clock, settings: (operation) => settings(operation).deadline }),
  ]
  let sheds = (): boolean => false
  if (anywhere(options, ({ shed }) => shed.enabled)) {
    const { pressure } = options
    const { read, close } = systemPressure(pressure)
    onClose(close)
    const shedding = shedPolicy({ ...of('shed'), clock, random, emit, pressure, read, settings })
    onClose(shedding.close)
    policies.push(shedding.policy)
    sheds = shedding.sheds
  }
  if (anywhere(options, ({ degrade }) => degrade.ladder.length > 0))
    policies.push(degradePolicy({ ...of('degrade'), clock, settings: (operation) => settings(operation).degrade }))
  const hedges = new Hedges()
  policies.push(fallbackPolicy({ ...of('fallback'), clock, settings, hedges, ranked: hints.ranked.bind(hints) }))
  if (anywhere(options, ({ hedge }) => hedge.enabled))
    policies.push(hedgePolicy({ ...of('hedge'), clock, lanes, hedges, sheds }))
  policies.push(retryPolicy({ ...of('retry'), clock, random, lanes }))
  if (anywhere(options, ({ quarantine }) => quarantine.enabled))
    policies.push(quarantinePolicy({ ...of('quarantine'), clock, random, lanes, emit }))
  policies.push(
    breakerPolicy({ ...of('breaker'), clock, lanes }),
    bulkheadPolicy({ ...of('bulkhead'), clock, lanes }),
    attemptPolicy({ ...of('attempt'), clock, lanes }),
  )
  return policies
}
