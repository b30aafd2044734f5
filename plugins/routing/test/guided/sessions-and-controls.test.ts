import type { Entry } from '@switchyard/catalog'
import type { Call, Decision, ModelReply, Next, Strategy } from '@switchyard/contract'
import { virtualClock } from '@switchyard/testkit'
import { beforeEach, describe, expect, test } from 'vitest'
import type { RouteInput } from '../../src/index.ts'
import { type Parts, type Router, router, wholeReply } from '../support/route.ts'
import { call, catalogOf, entry, healthOf, providers, request } from '../support/world.ts'

const catalog = catalogOf(
  entry('p/strong', { input: 10, output: 50 }),
  entry('p/near', { input: 9, output: 45 }),
  entry('p/cheap', { input: 0.1, output: 0.5 }),
)
const LONG = 'word '.repeat(4_000)

async function routed(route: RouteInput, parts: Partial<Parts> = {}): Promise<Router> {
  return router({ options: { routes: { chat: route } }, providers: providers({ p: {} }), catalog, ...parts })
}
const turn = (session: string, content: string = LONG): Call<'model.invoke'> =>
  call('routing', {
    ...request('chat', { messages: [{ role: 'user', content }] }),
    headers: { 'x-switchyard-session': session },
  })

/** Answers every call at once, and keeps what came. */
function upstream(): { readonly next: Next<'model.invoke'>; readonly calls: Call<'model.invoke'>[] } {
  const calls: Call<'model.invoke'>[] = []
  return {
    calls,
    async next(given): Promise<ModelReply> {
      calls.push(given)
      return wholeReply({ ok: true }, { inputTokens: 4_000, outputTokens: 100 })
    },
  }
}
const sessionOf = (given: Call<'model.invoke'>) => given.trace.decisions.find(({ decision }) => decision === 'session')?.because

describe('sessions on a route', () => {
  /** A strategy that turns its order about while `backwards` is set. */
  const turning = { backwards: false }
  const strategies = new Map<string, Strategy>([
    [
      'turns',
      {
        capabilities: { costs: false },
        rank: (_call, candidates) => (turning.backwards ? candidates.toReversed() : candidates),
      },
    ],
  ])
  beforeEach(() => {
    turning.backwards = false
  })

  test('hold a session of any strategy to its target, set the attribute, and say why', async () => {
    const { through } = await routed({ strategy: 'turns', targets: ['p/strong', 'p/near'], session: {} }, { strategies })
    const { next, calls } = upstream()
    for (const session of ['s', 's', 't', 's', 'u']) {
      await through(turn(session), next)
      turning.backwards = !turning.backwards
    }
    expect(calls.map(({ request: { model }, attributes }) => [attributes.session, model])).toEqual([
      ['s', 'p/strong'],
      ['s', 'p/strong'],
      ['t', 'p/strong'],
      ['s', 'p/strong'],
      ['u', 'p/strong'],
    ])
    await through(turn('new'), next)
    expect(calls.at(-1)?.request.model).toBe('p/near')
    const last = turn('s')
    await through(last, next)
    expect(sessionOf(last)).toMatchObject({ session: 's', why: 'kept', deployment: 'p/p/strong', turn: 4 })
  })

  test('leave for what is cheaper, cold cache and all', async () => {
    const { through } = await routed({ strategy: 'turns', targets: ['p/strong', 'p/cheap'], session: {} }, { strategies })
    const { next, calls } = upstream()
    await through(turn('s'), next)
    turning.backwards = true
    await through(turn('s'), next)
    expect(calls[1]?.request.model).toBe('p/cheap')
  })

  test('break where the target is ejected, and the trace says so', async () => {
    const states: Record<string, { state?: 'ejected'; reason?: string }> = {}
    const { through } = await routed({ targets: ['p/strong', 'p/near', 'p/cheap'], session: {} }, { health: healthOf(states) })
    const { next, calls } = upstream()
    await through(turn('s'), next)
    states['p/p/strong'] = { state: 'ejected', reason: 'down' }
    const broken = turn('s')
    await through(broken, next)
    expect(calls[1]?.request.model).toBe('p/near')
    expect(sessionOf(broken)).toMatchObject({ why: 'unavailable', from: 'p/p/strong' })
  })

  test('end when the provider’s cache has forgotten them', async () => {
    const clock = virtualClock()
    const session = { ttlMs: 1_000 }
    const { through } = await routed({ targets: ['p/strong', 'p/near'], session }, { clock })
    const { next } = upstream()
    await through(turn('s'), next)
    await clock.advance(1_000)
    const late = turn('s')
    await through(late, next)
    expect(sessionOf(late)).toMatchObject({ why: 'idle' })
  })

  test('a warm cache counts for cheapest: what is dearer by the list may be cheaper for this session', async () => {
    const cached = (id: string, input: number): Entry => ({
      ...entry(id, { input, output: 1 }),
      prices: [
        {
          tier: 'standard',
          region: '*',
          perToken: { input: input * 1e6, output: 1e6, cacheRead: input * 1e5 },
          perUnit: {},
        },
      ],
    })
    const catalog = catalogOf(cached('p/dear', 3), cached('p/less', 2))
    const states: Record<string, { state?: 'disabled'; reason?: string }> = { 'p/p/less': { state: 'disabled', reason: 'ada' } }
    const targets = ['p/dear', 'p/less']
    const { through } = await routed({ strategy: 'cheapest', targets, session: {} }, { catalog, health: healthOf(states) })
    const { next } = upstream()
    await through(turn('s'), next)
    states['p/p/less'] = {}
    const ranked = async (session: string) => {
      const given = turn(session)
      await through(given, next)
      const [first] = given.trace.decisions
      const { order, expectedPicoUsd } = (first as Decision).because as { order: string[]; expectedPicoUsd: number[] }
      return { order, dearerFirst: (expectedPicoUsd[0] as number) > (expectedPicoUsd[1] as number) }
    }
    expect(await ranked('s')).toEqual({ order: ['p/p/dear', 'p/p/less'], dearerFirst: false })
    expect(await ranked('cold')).toEqual({ order: ['p/p/less', 'p/p/dear'], dearerFirst: false })
  })

  test('a dry run pins nothing', async () => {
    const { policy } = await routed({ targets: ['p/strong', 'p/near'], session: {} })
    for (let index = 0; index < 3; index++) {
      const explained = await policy.explain?.(turn('s'))
      expect(explained?.decisions.find(({ decision }) => decision === 'session')?.because).toMatchObject({ why: 'new' })
    }
  })
})

describe('the control arm', () => {
  const route: RouteInput = {
    strategy: 'cheapest',
    targets: ['p/strong', 'p/cheap'],
    baseline: 'p/strong',
    controlPercent: 5,
  }

  test('holds its share of sessions to the baseline, all turns of them, alike on every node', async () => {
    const [one, other] = [await routed(route), await routed(route)]
    const { next, calls } = upstream()
    let controlled = 0
    for (let index = 0; index < 1_000; index++) {
      calls.length = 0
      for (const node of [one, other, one]) await node.through(turn(`s${index}`, 'hi'), next)
      const kinds = new Set(calls.map(({ request: { model }, attributes }) => `${model} ${attributes.control}`))
      expect([...kinds]).toHaveLength(1)
      expect(['p/strong true', 'p/cheap undefined']).toContain([...kinds][0])
      if (kinds.has('p/strong true')) controlled += 1
    }
    expect(controlled).toBeGreaterThan(25)
    expect(controlled).toBeLessThan(80)
  })

  test('says in the trace that it was drawn, and every call names the baseline', async () => {
    const { through } = await routed({ ...route, controlPercent: 100 })
    const { next, calls } = upstream()
    const given = turn('s')
    await through(given, next)
    expect(given.trace.decisions).toContainEqual({
      by: 'routing/route',
      decision: 'control',
      because: { baseline: 'p/strong', percent: 100 },
    })
    expect(calls[0]).toMatchObject({ attributes: { baseline: 'p/strong', control: true, session: 's' } })
    expect(calls[0]?.alternatives?.[0]?.attributes).toMatchObject({ baseline: 'p/strong', control: true })
    const off = await routed({ targets: ['p/cheap', 'p/strong'], baseline: 'p/strong' })
    await off.through(turn('s'), next)
    expect(calls[1]?.attributes).toMatchObject({ baseline: 'p/strong', deployment: 'p/p/cheap' })
    expect(calls[1]?.attributes.control).toBeUndefined()
  })

  test('is no control where the baseline cannot serve', async () => {
    const health = healthOf({ 'p/p/strong': { state: 'disabled', reason: 'ada' } })
    const { through } = await routed({ ...route, controlPercent: 100 }, { health })
    const { next, calls } = upstream()
    await through(turn('s'), next)
    expect(calls[0]?.attributes.control).toBeUndefined()
    expect(calls[0]?.request.model).toBe('p/cheap')
  })
})
