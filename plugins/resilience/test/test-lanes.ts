import type { Alternative } from '@switchyard/contract'
import type { LaneContext } from '../src/lane.ts'
import { Lanes } from '../src/lanes.ts'
import { type OperationInput, resilienceOptions } from '../src/options.ts'
import { type Settings, settingsFor } from '../src/settings.ts'

/** An event that a guard told of. */
export interface Told {
  readonly event: string
  readonly payload: Readonly<Record<string, unknown>>
}

/** What `testLanes` gives. */
export interface TestLanes {
  readonly lanes: Lanes
  readonly settings: (operation: string) => Settings
  readonly told: readonly Told[]
  readonly emit: (event: string, payload: unknown) => void
  readonly events: () => readonly string[]
}

/** Lanes with the given settings for every operation, and what they tell. */
export function testLanes(
  input: OperationInput = {},
  random: () => number = () => 0.5,
  context: Partial<LaneContext> = {},
): TestLanes {
  const told: Told[] = []
  const settings = settingsFor(resilienceOptions.parse(input))
  const emit = (event: string, payload: unknown): void => void told.push({ event, payload } as Told)
  const lanes = new Lanes({ plugin: 'resilience', random, emit, ...context }, settings)
  return { lanes, settings, told, emit, events: () => told.map(({ event }) => event) }
}

/** Another place to serve `sql.query`. */
export function alternative(target: string, attributes: Alternative['attributes'] = {}): Alternative {
  return { target, request: { sql: 'select 1', params: [] }, attributes }
}
