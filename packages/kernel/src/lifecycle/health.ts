import { type ErrorCode, SwitchyardError } from '@switchyard/contract'
import type { Runtime } from '../runtime.ts'
import { bounded } from './bounded.ts'
import type { Instance } from './instance.ts'

/** What an instance's own probe said. `none`: it has no probe. */
export interface Health {
  readonly status: 'ok' | 'error' | 'none'
  /** How long the probe took; absent for `none`. */
  readonly durationMs?: number
  /** Epoch ms at which it was asked; absent for `none`. */
  readonly checkedAt?: number
  /** Present for `error`. */
  readonly error?: { readonly code: ErrorCode; readonly message: string }
}

/** A probe's answer holds for this long (contract: `health` is called at most once a second). */
const FRESH_MS = 1_000
const NONE: Health = Object.freeze({ status: 'none' })

/** Makes an instance's health check: bounded, its answer kept for a second, and one probe at a time. Never rejects. */
export function createHealth(instance: Instance, runtime: Runtime): () => Promise<Health> {
  const { result } = instance
  const { clock, healthTimeoutMs } = runtime
  if (result.health === undefined) return () => Promise.resolve(NONE)
  let last: Promise<Health> | undefined
  let freshUntil = 0

  const probe = async (): Promise<Health> => {
    const checkedAt = clock.now()
    const startedAt = clock.monotonic()
    const controller = new AbortController()
    try {
      await bounded(() => result.health?.(controller.signal), healthTimeoutMs, clock, `no answer in ${healthTimeoutMs} ms`)
      return { status: 'ok', checkedAt, durationMs: clock.monotonic() - startedAt }
    } catch (error) {
      const known = SwitchyardError.is(error)
      const code = known ? error.code : 'INTERNAL'
      const message = error instanceof Error || known ? (error as Error).message : String(error)
      return { status: 'error', checkedAt, durationMs: clock.monotonic() - startedAt, error: { code, message } }
    } finally {
      freshUntil = clock.monotonic() + FRESH_MS
      controller.abort(new SwitchyardError('ABORTED', 'the probe is over'))
    }
  }

  let probing = false
  return () => {
    if (last !== undefined && (probing || clock.monotonic() < freshUntil)) return last
    probing = true
    last = probe().finally(() => {
      probing = false
    })
    return last
  }
}
