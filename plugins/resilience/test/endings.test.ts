import { type Call, SwitchyardError } from '@switchyard/contract'
import { describe, expect, test, vi } from 'vitest'
import { type Breaker, FREE, REFUSED } from '../src/breaker/breaker.ts'
import type { OperationInput } from '../src/options.ts'
import { countListeners, fakeCall, unavailable } from './fake-call.ts'
import { type Behaviour, type Stack, scripted, stack } from './stack.ts'
import { alternative } from './test-lanes.ts'

const GUARDS: OperationInput = {
  deadline: { totalMs: 10_000 },
  attempts: { streamFirstMs: 1_000, wholeReplyMs: 1_000 },
  retry: { maxAttempts: 2, backoffBaseMs: 400 },
  bulkhead: { slots: 2, queueWaitMs: 5_000 },
  limiter: { algorithm: 'gradient', start: 2, min: 2, max: 2 },
  breaker: { consecutiveFailures: 100 },
}

interface Ending {
  readonly name: string
  readonly behaviours: readonly Behaviour[]
  /** When the client leaves, in ms; it stays unless told. */
  readonly leavesAt?: number
  /** Two attempts hold the slots so long. */
  readonly busyMs?: number
  readonly options?: OperationInput
  readonly outcome: string
  /** What the breaker was told of the attempts under test. */
  readonly samples: readonly string[]
}

const whole: Behaviour = { kind: 'whole', afterMs: 10 }
const fails: Behaviour = { kind: 'fails', afterMs: 10, error: unavailable() }
const hangs: Behaviour = { kind: 'hangs' }
const stream = (outcome: 'complete' | 'truncated' | 'error'): Behaviour => ({
  kind: 'stream',
  afterMs: 10,
  lastsMs: 500,
  outcome,
})
const rejected = new SwitchyardError('UPSTREAM_REJECTED', 'no', { details: { status: 400 } })

const ENDINGS: readonly Ending[] = [
  { name: 'a whole reply', behaviours: [whole], outcome: 'ok', samples: ['good'] },
  { name: 'a stream that completes', behaviours: [stream('complete')], outcome: 'complete', samples: ['good'] },
  { name: 'a stream that is cut', behaviours: [stream('truncated')], outcome: 'truncated', samples: ['failure'] },
  { name: 'a stream with an error event', behaviours: [stream('error')], outcome: 'error', samples: ['failure'] },
  { name: 'a failure, then a reply', behaviours: [fails, whole], outcome: 'ok', samples: ['failure', 'good'] },
  { name: 'failures only', behaviours: [fails, fails], outcome: 'UPSTREAM_UNAVAILABLE', samples: ['failure', 'failure'] },
  {
    name: "the request's own error",
    behaviours: [{ kind: 'fails', afterMs: 10, error: rejected }],
    outcome: 'UPSTREAM_REJECTED',
    samples: ['neutral'],
  },
  {
    name: 'a throw before any promise',
    behaviours: [{ kind: 'throws', error: rejected }],
    outcome: 'UPSTREAM_REJECTED',
    samples: ['neutral'],
  },
  { name: 'no first reply in time', behaviours: [hangs], outcome: 'TIMEOUT', samples: ['failure'] },
  {
    name: 'the client leaves before the first reply',
    behaviours: [hangs],
    leavesAt: 500,
    outcome: 'ABORTED',
    samples: ['neutral'],
  },
  {
    name: 'the client leaves during the stream',
    behaviours: [stream('complete')],
    leavesAt: 200,
    outcome: 'aborted',
    samples: ['neutral'],
  },
  {
    name: 'the client leaves between two attempts',
    behaviours: [fails],
    leavesAt: 100,
    outcome: 'ABORTED',
    samples: ['failure'],
  },
  {
    name: 'the client leaves the queue',
    behaviours: [],
    busyMs: 3_000,
    leavesAt: 100,
    outcome: 'ABORTED',
    samples: ['neutral'],
  },
  { name: 'the client had left before', behaviours: [], leavesAt: 0, outcome: 'ABORTED', samples: ['neutral'] },
  { name: 'the wait for a slot is over', behaviours: [], busyMs: 9_000, outcome: 'OVERLOADED', samples: ['neutral'] },
  {
    name: 'the deadline passes in the queue',
    behaviours: [],
    busyMs: 9_000,
    options: { deadline: { totalMs: 2_000 } },
    outcome: 'TIMEOUT',
    samples: ['neutral'],
  },
  {
    name: 'the deadline passes before the first reply',
    behaviours: [hangs],
    options: { deadline: { totalMs: 700 } },
    outcome: 'TIMEOUT',
    samples: ['neutral'],
  },
  {
    name: 'the deadline passes during the stream',
    behaviours: [stream('complete')],
    options: { deadline: { totalMs: 300 } },
    outcome: 'error',
    samples: ['neutral'],
  },
  { name: 'a slot after a wait', behaviours: [whole], busyMs: 1_000, outcome: 'ok', samples: ['good'] },
]

function model(changes: Partial<Call>): Call {
  const request = { endpoint: 'chat/completions', model: 'm', body: {}, stream: true } as const
  return fakeCall({ operation: 'model.invoke', request, target: 'remote', ...changes })
}

interface Books {
  readonly samples: string[]
  /** Probes' permits that are out. */
  permits: number
}

/** Keeps the books of one breaker beside it. */
function watch(breaker: Breaker): Books {
  const books: Books = { samples: [], permits: 0 }
  const { admit, giveBack, record } = breaker
  vi.spyOn(breaker, 'record').mockImplementation((sample, slow, now) => {
    books.samples.push(sample)
    record.call(breaker, sample, slow, now)
  })
  vi.spyOn(breaker, 'admit').mockImplementation((now) => {
    const ticket = admit.call(breaker, now)
    if (ticket !== FREE && ticket !== REFUSED) books.permits++
    return ticket
  })
  vi.spyOn(breaker, 'giveBack').mockImplementation((ticket, sample, now) => {
    books.permits--
    giveBack.call(breaker, ticket, sample, now)
  })
  return books
}

async function play(ending: Ending, prepare: (guards: Stack, breaker: Breaker) => Promise<void>) {
  let attempt = 0
  const guards = stack(
    { ...GUARDS, ...ending.options },
    scripted((call) => {
      if (call.id === 'busy') return { kind: 'stream', afterMs: 0, lastsMs: ending.busyMs ?? 0, outcome: 'complete' }
      return ending.behaviours[attempt++] ?? whole
    }),
  )
  const { clock, lanes } = guards
  const { breaker, bulkhead } = lanes.at('model.invoke', 'remote', clock.now())
  await prepare(guards, breaker)
  const books = watch(breaker)
  if (ending.busyMs !== undefined) {
    for (let i = 0; i < 2; i++) void guards.call(model({ id: 'busy' })).catch(() => {})
    await clock.advance(0)
    expect(bulkhead.inUse).toBe(2)
  }
  const controller = new AbortController()
  const listeners = countListeners(controller.signal)
  const leave = (): void => controller.abort(new SwitchyardError('ABORTED', 'the client left'))
  if (ending.leavesAt === 0) leave()
  const outcome = guards.call(model({ signal: controller.signal })).then(
    async (reply) => ('ended' in reply ? (await reply.ended).outcome : 'ok'),
    (error: SwitchyardError) => error.code,
  )
  if (ending.leavesAt !== undefined && ending.leavesAt > 0) {
    await clock.advance(ending.leavesAt)
    leave()
    expect(bulkhead.waiting).toBe(0)
  }
  await clock.advance(30_000)
  attempt = ending.behaviours.length
  const left = {
    inUse: bulkhead.inUse,
    waiting: bulkhead.waiting,
    timers: clock.pending(),
    listeners: listeners(),
    permits: books.permits,
  }
  return { guards, breaker, outcome: await outcome, samples: books.samples, left }
}

const NOTHING = { inUse: 0, waiting: 0, timers: 0, listeners: 0, permits: 0 }

describe('slots, permits, timers and listeners are back, and each attempt gave one sample', () => {
  test.each(ENDINGS)('after $name', async (ending) => {
    const { outcome, samples, left } = await play(ending, async () => {})
    expect(outcome).toBe(ending.outcome)
    const totalMs = ending.options?.deadline?.totalMs ?? 10_000
    const one = totalMs !== false && (ending.busyMs ?? 0) > totalMs ? 'neutral' : 'good'
    const busy = ending.busyMs === undefined ? [] : [one, one]
    expect(samples.toSorted()).toEqual([...ending.samples, ...busy].toSorted())
    expect(left).toEqual(NOTHING)
  })
})

describe('the same of a probe of a half-open breaker, which three good ones can still close', () => {
  test.each(ENDINGS)('after $name', async (ending) => {
    const { guards, breaker, left } = await play(ending, async ({ clock }, breaker) => {
      for (let i = 0; i < 100; i++) breaker.record('failure', false, clock.now())
      await clock.advance(20_000)
    })
    expect(left).toEqual(NOTHING)
    await guards.clock.advance(600_000)
    for (let i = 0; i < 3; i++) {
      const reply = guards.call(model({ id: `after-${i}` }))
      await guards.clock.advance(1_000)
      await reply
    }
    expect(breaker.state).toBe('closed')
  })
})

test('ten thousand calls of every ending on one long-lived signal leave nothing behind', async () => {
  const random = mulberry(7)
  const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)] as T
  const behaviours = [whole, whole, fails, hangs, stream('complete'), stream('complete'), stream('truncated'), stream('error')]
  const guards = stack(
    {
      ...GUARDS,
      bulkhead: { slots: 15, queueSize: 20 },
      limiter: { algorithm: 'aimd', start: 15, min: 15, max: 15 },
      hedge: { enabled: true, ratio: 0.5, minSamples: 20 },
    },
    scripted((call) => (call.target === 'spare' ? whole : pick(behaviours))),
    random,
  )
  const { clock, lanes } = guards
  const server = new AbortController()
  const listeners = countListeners(server.signal)
  const outcomes = new Map<string, number>()
  const count = (outcome: string): void => void outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
  let hedges = 0
  for (let i = 0; i < CALLS; i++) {
    const client = new AbortController()
    const leaves = random() < 0.3
    const call = model({
      signal: leaves ? client.signal : server.signal,
      principal: { tenant: `tenant-${Math.floor(random() * 5)}`, keyId: 'k', roles: [] },
      alternatives: random() < 0.5 ? [{ ...alternative('spare'), request: fakeCall().request }] : undefined,
      attributes: { priority: pick(['low', 'normal', 'high']) },
    })
    guards
      .call(call)
      .then(
        async (reply) => count('ended' in reply ? (await reply.ended).outcome : 'ok'),
        (error: SwitchyardError) => count(error.code),
      )
      .finally(() => {
        hedges += call.trace.measures.get('hedgeCount') ?? 0
      })
    if (leaves) clock.schedule(random() * 1_500, () => client.abort(new SwitchyardError('ABORTED', 'the client left')))
    if (i % 10 === 0) await clock.advance(random() * 200)
  }
  await clock.advance(120_000)
  expect([...outcomes.values()].reduce((sum, some) => sum + some, 0)).toBe(CALLS)
  // Every way to end was taken, or this would prove little.
  expect([...outcomes.keys()]).toEqual(
    expect.arrayContaining([
      'ok',
      'complete',
      'truncated',
      'error',
      'aborted',
      'ABORTED',
      'TIMEOUT',
      'OVERLOADED',
      'CIRCUIT_OPEN',
    ]),
  )
  expect(hedges).toBeGreaterThan(0)
  for (const deployment of ['remote', 'spare']) {
    const { bulkhead } = lanes.at('model.invoke', deployment, clock.now())
    expect([bulkhead.inUse, bulkhead.waiting]).toEqual([0, 0])
  }
  expect([clock.pending(), listeners()]).toEqual([0, 0])
})

const CALLS = 10_000

/** A small seeded generator, uniform in [0, 1). Source: mulberry32, T. Ettinger, public domain. */
function mulberry(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
