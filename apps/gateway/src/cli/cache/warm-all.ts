import { type Clock, SwitchyardError } from '@switchyard/contract'
import type { LoggedRequest } from './log-line.ts'
import type { Warmed, WarmGateway } from './warm-gateway.ts'

/** What became of all. */
export interface Warming {
  readonly sent: number
  /** Answered by a model, and kept. */
  readonly filled: number
  /** There before. */
  readonly kept: number
  readonly bypassed: Readonly<Record<string, number>>
  readonly failed: number
  /** The first few reasons. */
  readonly reasons: readonly string[]
  /** What the gateway says that the answers cost. */
  readonly microUsd: number
  /** Why not all were sent. */
  readonly stopped:
    | { readonly code: 'interrupted' | 'refused' | 'unreachable' | 'failing' | 'uncached'; readonly why: string }
    | undefined
}

export interface WarmAllOptions {
  readonly requests: AsyncGenerator<LoggedRequest>
  readonly gateway: Pick<WarmGateway, 'send'>
  readonly concurrency: number
  readonly signal: AbortSignal
  readonly clock: Pick<Clock, 'now' | 'sleep'>
  /** Told after each, and before a wait. */
  progress(done: number, waiting: string): void
}

const REASONS = 5
const TRIES = 6
const FIRST_WAIT_MS = 1_000
/** Failures in a row after which the rest is not tried. */
const MOST_FAILURES = 20
const MOST_UNREACHABLE = 3

/**
 * Sends all, so many at a time; who is told to wait makes all wait. Ends early where no other request would fare better: the key or the money
 * is refused, nobody answers, all fail, nothing is cached there. Rejects only where the log cannot be read.
 */
export async function warmAll(options: WarmAllOptions): Promise<Warming> {
  const { requests, gateway, concurrency, signal, clock, progress } = options
  const stop = new AbortController()
  const any = AbortSignal.any([signal, stop.signal])
  const counts = { sent: 0, filled: 0, kept: 0, failed: 0, microUsd: 0 }
  const bypassed: Record<string, number> = {}
  const reasons: string[] = []
  let stopped: Warming['stopped']
  let inARow = 0
  let lost = 0
  let waitUntil = 0

  function end(code: NonNullable<Warming['stopped']>['code'], why: string): void {
    stopped ??= { code, why }
    stop.abort(new SwitchyardError('ABORTED', why))
  }

  function failed(why: string): void {
    counts.failed += 1
    inARow += 1
    if (reasons.length < REASONS && !reasons.includes(why)) reasons.push(why)
    if (inARow >= MOST_FAILURES) end('failing', `${inARow} requests failed in a row, the last with ${why}`)
  }

  function note(warmed: Exclude<Warmed, { readonly kind: 'later' }>): void {
    if (warmed.kind !== 'refused') counts.sent += 1
    lost = warmed.kind === 'unreachable' ? lost + 1 : 0
    switch (warmed.kind) {
      case 'refused':
        end('refused', warmed.why)
        return
      case 'unreachable':
      case 'failed':
        failed(warmed.why)
        if (lost === MOST_UNREACHABLE) end('unreachable', `the gateway cannot be reached: ${warmed.why}`)
        return
      case 'uncached':
        end('uncached', 'the gateway says nothing of a cache: add @switchyard/cache to its plugins')
        return
      case 'kept':
        counts.kept += 1
        break
      case 'filled':
        counts.filled += 1
        counts.microUsd += warmed.microUsd
        break
      case 'bypassed':
        counts.microUsd += warmed.microUsd
        bypassed[warmed.reason] = (bypassed[warmed.reason] ?? 0) + 1
    }
    inARow = 0
  }

  async function sendOne(request: LoggedRequest): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      const wait = waitUntil - clock.now()
      if (wait > 0) {
        progress(counts.sent, `waiting ${Math.ceil(wait / 1_000)} s as the gateway asks`)
        await clock.sleep(wait, any)
      }
      const warmed = await gateway.send(request, any)
      if (warmed.kind !== 'later') {
        note(warmed)
        return
      }
      if (attempt === TRIES) {
        note({ kind: 'failed', why: warmed.why })
        return
      }
      waitUntil = Math.max(waitUntil, clock.now() + (warmed.afterMs ?? FIRST_WAIT_MS * 2 ** (attempt - 1)))
    }
  }

  async function worker(): Promise<void> {
    while (!any.aborted) {
      const { value, done } = await requests.next()
      if (done === true || any.aborted) return
      try {
        await sendOne(value)
      } catch (error) {
        if (any.aborted) return
        throw error
      }
      progress(counts.sent, '')
    }
  }

  try {
    await Promise.all(Array.from({ length: concurrency }, worker))
  } finally {
    stop.abort()
    await requests.return(undefined)
  }
  if (signal.aborted) stopped ??= { code: 'interrupted', why: 'interrupted' }
  return { ...counts, bypassed, reasons, stopped }
}
