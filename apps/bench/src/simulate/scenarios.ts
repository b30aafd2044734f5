import type { ResilienceInput } from '@switchyard/resilience'
import type { Answer, Arrival, Scenario } from './run.ts'

/** One question, and the settings that are compared. */
export interface Comparison {
  readonly name: string
  readonly what: string
  readonly scenario: Omit<Scenario, 'options'>
  readonly variants: readonly { readonly name: string; readonly options: ResilienceInput }[]
}

const ALONE = { retry: { maxAttempts: 1 }, breaker: { enabled: false }, attempts: { lateFactor: false } } as const

/** Carries 20 at once in 100 ms each, but 6 between the 15th and the 45th second; what is above that slows all of it down. */
function shrinking({ atMs, inFlight }: Arrival): Answer {
  const carries = atMs >= 15_000 && atMs < 45_000 ? 6 : 20
  return { afterMs: 100 * Math.max(1, inFlight / carries) ** 1.5 }
}

/** 40 ms or so, and twenty times that for one attempt in 25. */
function straggling({ random }: Arrival): Answer {
  const usual = 25 + 30 * random()
  return { afterMs: random() < 0.04 ? usual * 20 : usual }
}

/** The first target fails after 300 ms for five seconds of every ten; the other one always serves. */
function flapping({ target, atMs }: Arrival): Answer {
  return target === 'first' && atMs % 10_000 >= 5_000 ? { afterMs: 300, fails: true } : { afterMs: 40 }
}

/** What is compared. */
export const COMPARISONS: readonly Comparison[] = [
  {
    name: 'limit',
    what: 'a target that carries 20 at once, then 6, then 20 again; 100 calls a second for 60 s, 2 s each at most',
    scenario: { targets: ['only'], answer: shrinking, rate: 100, seconds: 60, deadlineMs: 2_000 },
    variants: [
      { name: 'no limit', options: { ...ALONE, bulkhead: { slots: false } } },
      { name: 'static, 20', options: { ...ALONE, bulkhead: { slots: 20 } } },
      { name: 'gradient', options: { ...ALONE, limiter: { algorithm: 'gradient', start: 20, min: 2, max: 100 } } },
      { name: 'aimd', options: { ...ALONE, limiter: { algorithm: 'aimd', start: 20, min: 2, max: 100 } } },
    ],
  },
  {
    name: 'queue',
    what: 'ten slots of 50 ms each (200 calls a second) at 320 calls a second for 30 s, 1 s each at most',
    scenario: { targets: ['only'], answer: () => ({ afterMs: 50 }), rate: 320, seconds: 30, deadlineMs: 1_000 },
    variants: [
      { name: 'first come first', options: { ...ALONE, bulkhead: { slots: 10, queueSize: 100, queueTargetMs: false } } },
      { name: 'controlled', options: { ...ALONE, bulkhead: { slots: 10, queueSize: 100 } } },
    ],
  },
  {
    name: 'hedge',
    what: 'two targets of 25 to 55 ms, one attempt in 25 takes twenty times that; 50 calls a second for 120 s',
    scenario: { targets: ['first', 'second'], answer: straggling, rate: 50, seconds: 120, deadlineMs: 10_000 },
    variants: [
      { name: 'off', options: ALONE },
      { name: 'on', options: { ...ALONE, hedge: { enabled: true } } },
    ],
  },
  {
    name: 'breaker',
    what: 'the first of two targets fails, after 300 ms, for 5 s of every 10; 50 calls a second for 120 s',
    scenario: { targets: ['first', 'second'], answer: flapping, rate: 50, seconds: 120, deadlineMs: 10_000 },
    variants: [
      { name: 'off', options: { breaker: { enabled: false }, retry: { maxAttempts: 1 } } },
      { name: 'on', options: { retry: { maxAttempts: 1 } } },
      { name: 'on, open for 2 s', options: { retry: { maxAttempts: 1 }, breaker: { openMs: 2_000, openMaxMs: 2_000 } } },
    ],
  },
]
