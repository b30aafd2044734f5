import { type Counters, type ModelProvider, SwitchyardError } from '@switchyard/contract'
import { type VirtualClock, virtualClock } from '@switchyard/testkit'
import { describe, expect, test } from 'vitest'
import { type Node, type NodeOptions, startNode, unavailable } from './support/node.ts'

const A = 'p/acme/a'
const B = 'p/acme/b'

interface Probed {
  readonly at: number
  readonly model: string | undefined
}

interface Fake {
  readonly provider: ModelProvider
  readonly probes: Probed[]
  /** What each probe does. */
  answer: (signal: AbortSignal | undefined) => Promise<void>
}

function fake(clock: VirtualClock, free: boolean | 'unsaid' = true): Fake {
  const probes: Probed[] = []
  const made: Fake = {
    probes,
    answer: async () => {},
    provider: {
      capabilities: {
        endpoints: [],
        streaming: true,
        models: 'any',
        listing: false,
        cancels: true,
        ...(free !== 'unsaid' && { freeProbe: free }),
      },
      invoke: () => Promise.reject(unavailable),
      models: () => Promise.reject(unavailable),
      probe(target, options) {
        probes.push({ at: clock.now(), model: target.model })
        return made.answer(options?.signal)
      },
    },
  }
  return made
}

async function probing(given: NodeOptions = {}, free?: boolean): Promise<{ node: Node; p: Fake; clock: VirtualClock }> {
  const clock = given.clock ?? virtualClock()
  const p = fake(clock, free ?? true)
  const node = await startNode({ clock, providers: new Map([['p', p.provider]]), ...given })
  await node.good(1, { deployment: B })
  await node.good(1)
  return { node, p, clock }
}

/** Traffic for one that keeps it from being probed. */
async function keepBusy({ good, clock }: Node, deployment: string, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 1_000) {
    await good(1, { deployment })
    await clock.advance(1_000)
  }
}

describe('who is probed', () => {
  test('who had no call for a minute, with its model, and again each interval; nobody before', async () => {
    const { node, p } = await probing()
    await keepBusy(node, B, 60_000)
    expect(p.probes).toEqual([])
    await keepBusy(node, B, 60_000)
    expect(new Set(p.probes.map(({ model }) => model))).toEqual(new Set(['acme/a']))
    expect(p.probes.length).toBeGreaterThanOrEqual(4)
    expect(p.probes.length).toBeLessThanOrEqual(6)
  })

  test('who is ejected, though it has traffic', async () => {
    const { node, p } = await probing()
    p.answer = () => Promise.reject(unavailable)
    await node.bad(5)
    await node.clock.advance(20_000)
    expect(p.probes.map(({ model }) => model)).toContain('acme/a')
    expect(p.probes.every(({ model }) => model === 'acme/a')).toBe(true)
  })

  test('not who is disabled, nor who waits as its provider asked', async () => {
    const { node, p } = await probing()
    await node.good(1, { deployment: 'p/acme/c' })
    await node.health.disable(A, { by: 'ada', reason: 'off' })
    await node.bad(1, { deployment: B }, new SwitchyardError('RATE_LIMITED', 'wait', { retryAfterMs: 200_000 }))
    await keepBusy(node, 'p/acme/c', 150_000)
    expect(node.health.of(B).state).toBe('ejected')
    expect(p.probes).toEqual([])
  })

  test.each([false, 'unsaid'] as const)(
    'nobody at a provider whose probes may cost money (%s), without a timer',
    async (free) => {
      const clock = virtualClock()
      const p = fake(clock, free)
      const { health } = await startNode({ clock, providers: new Map([['p', p.provider]]) })
      expect(clock.pending()).toBe(0)
      expect(health.list()).toEqual([])
    },
  )

  test('where asked for, at such a provider too', async () => {
    const { node, p } = await probing({ options: { probes: { instances: ['p'] } } }, false)
    await keepBusy(node, B, 90_000)
    expect(p.probes.length).toBeGreaterThan(0)
  })

  test('not who belongs to a provider that is not there', async () => {
    const { node, p } = await probing()
    await node.good(1, { deployment: 'q/acme/a' })
    await node.clock.advance(120_000)
    expect(new Set(p.probes.map(({ model }) => model))).toEqual(new Set(['acme/a', 'acme/b']))
  })

  test('a deployment that is a whole instance is probed without a model', async () => {
    const { node, p } = await probing()
    await node.good(1, { deployment: 'p' })
    await node.clock.advance(90_000)
    expect(p.probes.map(({ model }) => model)).toContain(undefined)
  })
})

describe('how often', () => {
  test('at most so many a minute, and the others in their turn', async () => {
    const { node, p } = await probing({ options: { probes: { maxPerMinute: 10, quietMs: 1_000 } } })
    for (let at = 0; at < 20; at += 1) await node.good(1, { deployment: `p/acme/${at}` })
    await node.clock.advance(59_500)
    expect(p.probes.length).toBe(10)
    await node.clock.advance(180_000)
    expect(p.probes.length).toBeLessThanOrEqual(40)
    expect(new Set(p.probes.map(({ model }) => model)).size).toBe(22)
  })

  test('never, where none is allowed', async () => {
    const { clock, p } = await probing({ options: { probes: { maxPerMinute: 0 } } })
    await clock.advance(200_000)
    expect(p.probes).toEqual([])
  })

  test('few at once, and of one deployment one at a time', async () => {
    const { node, p } = await probing({ options: { probes: { intervalMs: 1_000, timeoutMs: 1_000_000 } } })
    p.answer = () => new Promise(() => {})
    await keepBusy(node, B, 90_000)
    expect(p.probes.length).toBe(1)
    for (let at = 0; at < 10; at += 1) await node.good(1, { deployment: `p/acme/${at}` })
    await node.clock.advance(80_000)
    expect(p.probes.length).toBe(4)
  })

  test('by chance anew after each time with traffic', async () => {
    const { node, p, clock } = await probing({ random: () => 0.99 })
    await clock.advance(100_000)
    await node.good(1)
    const [from, before] = [clock.now(), p.probes.length]
    await keepBusy(node, B, 80_000)
    const first = p.probes.slice(before).find(({ model }) => model === 'acme/a')
    expect((first?.at ?? 0) - from).toBeGreaterThanOrEqual(69_900)
  })

  test('spread by chance', async () => {
    const times: number[][] = []
    for (const random of [() => 0, () => 0.99]) {
      const { node, p } = await probing({ random })
      const from = node.clock.now()
      await node.clock.advance(110_000)
      times.push(p.probes.filter(({ model }) => model === 'acme/a').map(({ at }) => at - from))
    }
    const gaps = (all: readonly number[] = []): number[] => all.slice(1).map((at, index) => at - (all[index] as number))
    expect(times[1]?.[0]).toBeGreaterThan((times[0]?.[0] ?? 0) + 8_000)
    for (const gap of gaps(times[0])) expect(gap).toBe(8_000)
    for (const gap of gaps(times[1])) expect(gap).toBe(12_000)
  })

  test('by one node of those that share counters, and by each where the counters fail', async () => {
    for (const works of [true, false]) {
      const clock = virtualClock()
      const taken = new Set<string>()
      const counters: Counters = {
        capabilities: { shared: true },
        async reserve([row]) {
          if (!works || row === undefined) throw new SwitchyardError('UPSTREAM_UNAVAILABLE', 'no counters')
          if (taken.has(row.key)) return { granted: false, key: row.key, available: 0n }
          taken.add(row.key)
          return { granted: true, sums: [1n] }
        },
        settle: async () => ({ settled: false }),
        renew: async () => ({ renewed: false }),
        expired: async () => [],
        acknowledge: async () => {},
        read: async () => [],
      }
      const nodes = [await probing({ clock, counters }), await probing({ clock, counters })]
      await clock.advance(160_000)
      const [one, two] = nodes.map(({ p }) => p.probes.length) as [number, number]
      if (works) expect(one + two).toBeLessThanOrEqual(2 * 13)
      else expect(Math.min(one, two)).toBeGreaterThanOrEqual(2 * 8)
      expect(one + two).toBeGreaterThanOrEqual(2 * 8)
    }
  })
})

describe('what a probe says', () => {
  test('three failed in a row eject who had no traffic; a good one between begins anew', async () => {
    const { node, p } = await probing()
    const answers = [false, false, true, false, false, false]
    p.answer = () => (answers.shift() === false ? Promise.reject(unavailable) : Promise.resolve())
    await keepBusy(node, B, 60_000)
    while (answers.length > 1) {
      expect(node.health.of(A).state).toBe('healthy')
      await keepBusy(node, B, 1_000)
    }
    await keepBusy(node, B, 14_000)
    expect(node.health.of(A)).toMatchObject({ state: 'ejected', reason: '3 probes failed in a row' })
  })

  test('two good ones end a first ejection before its time', async () => {
    const { node, clock } = await probing({ options: { probes: { intervalMs: 2_000 } } })
    const from = clock.now()
    await node.bad(5)
    while (node.health.of(A).state === 'ejected') await clock.advance(500)
    expect(node.health.of(A).state).toBe('recovering')
    expect(clock.now() - from).toBeLessThan(10_000)
  })

  test('failed ones keep it out longer', async () => {
    const { node, p, clock } = await probing()
    p.answer = () => Promise.reject(unavailable)
    await node.bad(5)
    await clock.advance(60_000)
    expect(node.health.of(A).state).toBe('ejected')
    p.answer = async () => {}
    await clock.advance(30_000)
    expect(node.health.of(A).state).toBe('recovering')
  })

  test.each(['UNSUPPORTED', 'UPSTREAM_REJECTED', 'NOT_FOUND'] as const)('nothing where it ends with %s', async (code) => {
    const { node, p, clock } = await probing()
    p.answer = () => Promise.reject(new SwitchyardError(code, 'no'))
    await clock.advance(200_000)
    expect(p.probes.length).toBeGreaterThan(5)
    expect(node.changes()).toEqual([])
  })

  test('a refusal for a limit counts as one', async () => {
    const { node, p } = await probing()
    p.answer = () => Promise.reject(new SwitchyardError('RATE_LIMITED', 'wait', { retryAfterMs: 60_000 }))
    await keepBusy(node, B, 75_000)
    expect(node.health.of(A)).toMatchObject({ state: 'ejected', reason: 'it refused for a limit and asked to wait 60000 ms' })
  })

  test.each([true, false])('one that takes too long has failed, whether it heeds its signal (%s) or not', async (heeds) => {
    const { node, p } = await probing()
    const signals: (AbortSignal | undefined)[] = []
    p.answer = (signal) =>
      new Promise((_, reject) => {
        signals.push(signal)
        if (heeds) signal?.addEventListener('abort', () => reject(new SwitchyardError('ABORTED', 'told to')))
      })
    await keepBusy(node, B, 150_000)
    expect(node.changes()[0]).toBe('healthy>ejected')
    expect(signals[0]?.reason).toMatchObject({ code: 'TIMEOUT' })
  })

  test('nothing where the deployment was enabled meanwhile', async () => {
    const { node, p, clock } = await probing({ options: { probes: { failures: 1 } } })
    const answer = Promise.withResolvers<void>()
    p.answer = () => answer.promise
    await node.bad(5)
    while (p.probes.length === 0) await clock.advance(500)
    await node.health.enable(A, { by: 'ada', reason: 'mended' })
    answer.reject(unavailable)
    await clock.advance(0)
    expect(node.health.of(A).state).toBe('healthy')
  })
})

test('closed, it aborts what is under way and leaves no timer', async () => {
  const { node, p, clock } = await probing()
  let reason: unknown
  p.answer = (signal) =>
    new Promise((_, reject) => {
      signal?.addEventListener('abort', () => {
        reason = signal.reason
        reject(signal.reason)
      })
    })
  await node.bad(5)
  while (p.probes.length === 0) await clock.advance(500)
  await node.started.close()
  await clock.advance(0)
  expect(reason).toMatchObject({ code: 'CLOSED' })
  expect(clock.pending()).toBe(0)
  expect(node.log.records.filter(({ level }) => level === 'error')).toEqual([])
})
