import type { Call, SetupContext } from '@switchyard/contract'
import type { Quota, Unit } from './quota.ts'

/** Calls that a limit refused. */
export interface LimitExceeded {
  /** Plugin instance. */
  readonly plugin: string
  readonly limit: string
  readonly per: string
  readonly unit: Unit
  readonly operation: string
  /** Of the last call that was refused. */
  readonly tenant: string
  readonly keyId: string
  /** Calls that this limit refused since the event before. */
  readonly refused: number
  /** Epoch ms. */
  readonly at: number
}

declare module '@switchyard/contract' {
  interface KernelEvents {
    /** At most one a second for each limit and unit, the first at once. */
    'limit:exceeded': LimitExceeded
  }
}

const EVERY_MS = 1000

/** Tells of refusals, so that a flood of them makes no flood of events. */
export class Exceeded {
  private readonly plugin: string
  private readonly emit: SetupContext<unknown, unknown>['emit']
  private readonly told = new Map<string, { at: number; refused: number }>()

  constructor(plugin: string, emit: SetupContext<unknown, unknown>['emit']) {
    this.plugin = plugin
    this.emit = emit
  }

  note({ limit, per, unit }: Quota, { operation, principal }: Call, now: number): void {
    const name = `${limit} ${unit}`
    const last = this.told.get(name) ?? { at: Number.NEGATIVE_INFINITY, refused: 0 }
    this.told.set(name, last)
    last.refused++
    if (now - last.at < EVERY_MS) return
    const { tenant, keyId } = principal
    this.emit('limit:exceeded', {
      plugin: this.plugin,
      limit,
      per,
      unit,
      operation,
      tenant,
      keyId,
      refused: last.refused,
      at: now,
    })
    last.at = now
    last.refused = 0
  }
}
