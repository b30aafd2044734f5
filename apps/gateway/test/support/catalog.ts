import { type Catalog, type CatalogChange, catalog } from '@switchyard/catalog'
import type { Clock } from '@switchyard/contract'
import {
  type RecordingLogger,
  recordingLogger,
  type StartedPlugin,
  startPlugin,
  type VirtualClock,
  virtualClock,
} from '@switchyard/testkit'
import { expect } from 'vitest'
import type { CatalogInput } from '../../src/catalog/options.ts'
import { modelCatalog } from '../../src/catalog/plugin.ts'
import { type CatalogStatus, catalogKeeper } from '../../src/catalog/port.ts'

/** A whole update on a busy machine. */
const PATIENT = { timeout: 20_000 }

export const START: number = Date.parse('2026-11-20T12:00:00Z')
export const HOUR = 3_600_000

export interface CatalogUnderTest {
  readonly clock: VirtualClock
  readonly log: RecordingLogger
  /** Starts the plugin, again after `close`. */
  start(input: CatalogInput): Promise<void>
  close(): Promise<void>
  current(): Catalog
  status(): CatalogStatus
  /** Payloads of `catalog:updated`, oldest first. */
  changes(): readonly CatalogChange[]
  /** Input price of a model, in pico-USD a token. */
  input(id: string): number | undefined
  /** Waits for the first round's end. */
  firstRound(): Promise<void>
  /** The next round, to its end. It begins at the very end of the wait: the bounds of its requests run on the same clock. */
  next(): Promise<void>
}

/** The catalog plugin alone, on a virtual clock, over real HTTP. */
export function catalogUnderTest(): CatalogUnderTest {
  const clock = virtualClock(START)
  const log = recordingLogger()
  // After each round the plugin sleeps.
  let rounds = 0
  const counted: Clock = {
    ...clock,
    sleep(ms, signal) {
      rounds++
      return clock.sleep(ms, signal)
    },
  }
  let plugin: StartedPlugin | undefined
  const started = (): StartedPlugin => {
    if (plugin === undefined) throw new Error('not started')
    return plugin
  }
  const current = (): Catalog => started().port(catalog).current()
  return {
    clock,
    log,
    async start(input) {
      rounds = 0
      plugin = await startPlugin(modelCatalog(input), { clock: counted, log })
    },
    close: async () => plugin?.close(),
    current,
    status: () => started().port(catalogKeeper).status(),
    changes: () =>
      started()
        .emitted.filter(({ event }) => event === 'catalog:updated')
        .map(({ payload }) => payload as CatalogChange),
    input: (id) => current().get(id)?.prices[0]?.perToken.input,
    firstRound: () => expect.poll(() => rounds, PATIENT).toBe(1),
    async next() {
      const before = rounds
      await clock.advance(HOUR)
      await expect.poll(() => rounds, PATIENT).toBe(before + 1)
    },
  }
}
