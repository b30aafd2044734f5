import type { Call, Ending, Next, Policy, Reply } from '@switchyard/contract'
import { SwitchyardError } from '@switchyard/contract'
import { type VirtualClock, virtualClock } from '@switchyard/testkit'
import { attemptPolicy } from '../src/attempt/attempt-policy.ts'
import { breakerPolicy } from '../src/breaker/breaker-policy.ts'
import { bulkheadPolicy } from '../src/bulkhead/bulkhead-policy.ts'
import { deadlinePolicy } from '../src/deadline/deadline-policy.ts'
import { degradePolicy } from '../src/degrade/degrade-policy.ts'
import { fallbackPolicy } from '../src/fallback/fallback-policy.ts'
import { Hedges } from '../src/fallback/hedges.ts'
import { hedgePolicy } from '../src/hedge/hedge-policy.ts'
import type { OperationInput } from '../src/options.ts'
import { quarantinePolicy } from '../src/quarantine/quarantine-policy.ts'
import { retryPolicy } from '../src/retry/retry-policy.ts'
import { type TestLanes, testLanes } from './test-lanes.ts'

/** Every guard around one `next`, as the kernel would place them, on a clock of the test's. */
export interface Stack extends TestLanes {
  readonly clock: VirtualClock
  readonly call: (call: Call) => Promise<Reply<Call['operation']>>
}

/** Composes the guards; `remote` is what they guard. */
export function stack(input: OperationInput, remote: (clock: VirtualClock) => Next, random: () => number = () => 0.5): Stack {
  const clock = virtualClock()
  const made = testLanes(input, random)
  const { lanes, settings } = made
  const plugin = 'resilience'
  const hedges = new Hedges()
  const policies: readonly Policy[] = [
    deadlinePolicy({ name: 'deadline', plugin, clock, settings: (operation) => settings(operation).deadline }),
    degradePolicy({ name: 'degrade', plugin, clock, settings: (operation) => settings(operation).degrade }),
    fallbackPolicy({ name: 'fallback', clock, settings, hedges }),
    hedgePolicy({ name: 'hedge', clock, lanes, hedges, sheds: () => false }),
    retryPolicy({ name: 'retry', clock, random, lanes }),
    quarantinePolicy({ name: 'quarantine', plugin, clock, random, lanes, emit: made.emit }),
    breakerPolicy({ name: 'breaker', plugin, clock, lanes }),
    bulkheadPolicy({ name: 'bulkhead', plugin, clock, lanes }),
    attemptPolicy({ name: 'attempt', plugin, clock, lanes }),
  ]
  const inner = remote(clock)
  const end: Next = (call) => (call.signal.aborted ? Promise.reject(call.signal.reason) : inner(call))
  const call = policies.reduceRight<Next>((next, policy) => (given) => policy.around(Object.freeze(given), next), end)
  return { ...made, clock, call }
}

/** What a scripted target does with one attempt. */
export type Behaviour =
  | { readonly kind: 'whole'; readonly afterMs: number }
  | { readonly kind: 'fails'; readonly afterMs: number; readonly error: SwitchyardError }
  | { readonly kind: 'throws'; readonly error: unknown }
  | { readonly kind: 'hangs' }
  | { readonly kind: 'stream'; readonly afterMs: number; readonly lastsMs: number; readonly outcome: Ending['outcome'] }

/** A target that does as its script says, one entry an attempt, and heeds the signal at every point. */
export function scripted(script: (call: Call) => Behaviour): (clock: VirtualClock) => Next {
  return (clock) => (call) => {
    const behaviour = script(call)
    if (behaviour.kind === 'throws') throw behaviour.error
    return run(clock, call, behaviour) as Promise<Reply<Call['operation']>>
  }
}

async function run(clock: VirtualClock, call: Call, behaviour: Exclude<Behaviour, { kind: 'throws' }>): Promise<unknown> {
  if (behaviour.kind === 'hangs') {
    await new Promise((_, reject) => call.signal.addEventListener('abort', () => reject(call.signal.reason), { once: true }))
    return undefined
  }
  await clock.sleep(behaviour.afterMs, call.signal)
  if (behaviour.kind === 'fails') throw behaviour.error
  if (behaviour.kind === 'whole') return { rows: [], rowCount: 0 }
  const ended = clock.sleep(behaviour.lastsMs, call.signal).then(
    (): Ending => (behaviour.outcome === 'complete' ? { outcome: 'complete' } : { outcome: behaviour.outcome, error: cut() }),
    (error: SwitchyardError): Ending => ({ outcome: error.code === 'ABORTED' ? 'aborted' : 'error', error }),
  )
  return { status: 200, headers: {}, body: new Uint8Array(0), ended, target: call.target }
}

function cut(): SwitchyardError {
  return new SwitchyardError('UPSTREAM_TRUNCATED', 'the stream ended before it was finished')
}
