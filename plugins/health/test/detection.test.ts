import { SwitchyardError } from '@switchyard/contract'
import { describe, expect, test } from 'vitest'
import { type Attempt, type Node, settle, startNode, unavailable } from './support/node.ts'

const A = 'p/acme/a'
const B = 'p/acme/b'
const route = 'chat'

/** Traffic that makes both known to serve one route, and what is usual for them. */
async function pool(node: Node, names: readonly string[] = [A, B], ms = 50): Promise<void> {
  for (const deployment of names) await node.good(25, { deployment, route }, ms)
  await node.clock.advance(11_000)
}

describe('failures', () => {
  test('five in a row eject, with a reason, an event and a line in the log; four do not', async () => {
    const node = await startNode()
    await pool(node)
    await node.bad(4, { route })
    expect(node.health.of(A)).toMatchObject({ state: 'healthy', weight: 1 })
    await node.bad(1, { route })
    const { clock, health, started, log } = node
    expect(health.of(A)).toMatchObject({ state: 'ejected', weight: 0, reason: '5 failures in a row', since: clock.now() })
    expect(health.of(B)).toMatchObject({ state: 'healthy', weight: 1 })
    const change = { deployment: A, from: 'healthy', to: 'ejected', reason: '5 failures in a row', at: clock.now() }
    expect(started.emitted).toEqual([{ event: 'health:changed', payload: change }])
    expect(health.history(A)).toEqual([change])
    expect(log.records.map(({ level }) => level)).toEqual(['warn'])
  })

  test('a success between begins the count anew; a refusal between does not', async () => {
    const node = await startNode()
    await pool(node)
    await node.bad(4, { route })
    await node.good(1, { route })
    await node.bad(4, { route })
    expect(node.health.of(A).state).toBe('healthy')
    await node.bad(1, { route }, new SwitchyardError('UPSTREAM_REJECTED', 'no'))
    await node.bad(1, { route })
    expect(node.health.of(A).state).toBe('ejected')
  })

  test('half of the attempts within two seconds eject, however many were good before', async () => {
    const node = await startNode()
    await pool(node)
    for (let at = 0; at < 100; at += 1) await node.good(1, { route }, 50)
    const from = node.clock.now()
    for (let at = 0; node.health.of(A).state === 'healthy' && at < 1000; at += 1) {
      await node.clock.advance(10)
      await (at % 5 < 3 ? node.bad(1, { route }) : node.good(1, { route }))
    }
    expect(node.health.of(A)).toMatchObject({ state: 'ejected' })
    expect(node.health.of(A).reason).toMatch(/of \d+ attempts failed within 2000 ms/)
    expect(node.clock.now() - from).toBeLessThanOrEqual(2_000)
  })

  test('half of few attempts over the long window eject as well; below half does not', async () => {
    const node = await startNode()
    await pool(node)
    for (let at = 0; at < 9; at += 1) {
      await node.clock.advance(450)
      await node.good(1, { route })
      await node.clock.advance(450)
      await node.bad(1, { route })
    }
    expect(node.health.of(A).state).toBe('healthy')
    await node.good(1, { route })
    await node.bad(1, { route })
    expect(node.health.of(A).reason).toBe('10 of 20 attempts failed within 10000 ms')
    await node.good(30, { deployment: B, route })
    for (let at = 0; at < 29; at += 1)
      await (at % 3 === 0 ? node.bad(1, { deployment: B, route }) : node.good(1, { deployment: B, route }))
    expect(node.health.of(B).state).toBe('healthy')
  })

  test('one that comes back is out again after three failures, for longer', async () => {
    const node = await startNode()
    await pool(node)
    await node.bad(5, { route })
    await node.clock.advance(30_000)
    expect(node.health.of(A)).toMatchObject({ state: 'recovering', weight: 0.1 })
    await node.bad(3, { route })
    expect(node.health.of(A).state).toBe('ejected')
    await node.clock.advance(59_999)
    expect(node.health.of(A).state).toBe('ejected')
    await node.clock.advance(1)
    expect(node.health.of(A).state).toBe('recovering')
  })

  test('comes back through a slow start by time alone, with an event for each step', async () => {
    const node = await startNode()
    await pool(node)
    await node.bad(5, { route })
    await node.clock.advance(45_000)
    expect(node.health.of(A)).toMatchObject({ state: 'recovering', weight: 0.55, successRate: undefined })
    await node.clock.advance(15_000)
    expect(node.health.of(A)).toMatchObject({ state: 'healthy', weight: 1 })
    expect(node.changes()).toEqual(['healthy>ejected', 'ejected>recovering', 'recovering>healthy'])
    const [healthy, recovering, ejected] = node.health.history(A).map(({ at }) => at)
    expect([(recovering ?? 0) - (ejected ?? 0), (healthy ?? 0) - (recovering ?? 0)]).toEqual([30_000, 30_000])
  })

  test('calls that began before the ejection say nothing about the time after it', async () => {
    const node = await startNode()
    await pool(node)
    const old = [1, 2, 3].map(() => node.attempt({ route }))
    const well = [1, 2].map(() => node.attempt({ route }))
    await node.bad(5, { route })
    for (const one of well) await one.reply()
    expect(node.health.of(A).state).toBe('ejected')
    await node.clock.advance(30_000)
    for (const one of old) await one.reject(unavailable)
    expect(node.health.of(A)).toMatchObject({ state: 'recovering', successRate: undefined, inFlight: 0 })
  })

  test('one that fails by half, and is called although it is out, does not flap', async () => {
    const node = await startNode()
    await pool(node)
    for (let at = 0; at < 4_000; at += 1) {
      await (at % 6 < 3 ? node.bad(1, { route }) : node.good(1, { route }))
      if (at % 10 === 0) await node.clock.advance(10)
    }
    expect(node.changes()).toEqual(['healthy>ejected', 'ejected>recovering', 'recovering>ejected'])
  })

  test('calls that fail although it is out say nothing about the time after it', async () => {
    const node = await startNode()
    await pool(node)
    await node.bad(5, { route })
    await node.bad(4, { route })
    await node.clock.advance(30_000)
    await node.bad(2, { route })
    expect(node.health.of(A).state).toBe('recovering')
  })

  test('two calls that end well although it is out bring it back', async () => {
    const node = await startNode()
    await pool(node)
    await node.bad(5, { route })
    await node.good(2, { route })
    expect(node.health.of(A).state).toBe('recovering')
  })
})

describe('a pool', () => {
  test('never loses its last: it is degraded instead, and says why', async () => {
    const node = await startNode()
    await node.bad(5, { route })
    expect(node.health.of(A)).toMatchObject({
      state: 'degraded',
      weight: 0.25,
      reason: '5 failures in a row; not left out, since it is the last of its pool',
    })
    await node.clock.advance(5_000)
    expect(node.health.of(A).state).toBe('healthy')
  })

  test('loses one of two, and not the other as well', async () => {
    const node = await startNode()
    await pool(node)
    await node.bad(5, { route })
    await node.bad(5, { deployment: B, route })
    expect([node.health.of(A).state, node.health.of(B).state]).toEqual(['ejected', 'degraded'])
  })

  test('loses at most its share: two of twenty', async () => {
    const node = await startNode()
    const names = Array.from({ length: 20 }, (_, at) => `p/acme/${at}`)
    await pool(node, names)
    for (const deployment of names.slice(0, 3)) await node.bad(5, { deployment, route })
    expect(names.slice(0, 4).map((name) => node.health.of(name).state)).toEqual(['ejected', 'ejected', 'degraded', 'healthy'])
    expect(node.health.of(names[2] as string).reason).toMatch(/since 2 of 20 of its pool are/)
  })

  test('knows what a call might have taken, so that a target with a spare is left out at once', async () => {
    const node = await startNode()
    await node.bad(5, { route, alternatives: [B] })
    expect(node.health.of(A).state).toBe('ejected')
    expect(node.health.list().map(({ deployment }) => deployment)).toEqual([A, B])
  })

  test('what serves another route or operation stands in for nothing here', async () => {
    const node = await startNode()
    await node.good(5, { deployment: B, route: 'other' })
    await node.good(5, { deployment: B })
    await node.bad(5, { route })
    expect(node.health.of(A).state).toBe('degraded')
  })

  test('who serves two routes is spared where it is the last of either', async () => {
    const node = await startNode()
    await pool(node)
    await node.good(1, { route: 'other' })
    await node.bad(5, { route })
    expect(node.health.of(A).state).toBe('degraded')
  })

  test('who was disabled does not stand in', async () => {
    const node = await startNode()
    await pool(node)
    await node.health.disable(B, { by: 'ada', reason: 'off' })
    await node.bad(5, { route })
    expect(node.health.of(A).state).toBe('degraded')
  })

  test('who has served nothing for long does not stand in', async () => {
    const node = await startNode()
    await pool(node)
    await node.clock.advance(600_000)
    await node.bad(5, { route })
    expect(node.health.of(A).state).toBe('degraded')
  })

  test('who waits as its provider asked does not stand in, but takes up no share either', async () => {
    const node = await startNode()
    await pool(node, [A, B, 'p/acme/c'])
    await node.bad(1, { deployment: B, route }, new SwitchyardError('RATE_LIMITED', 'wait', { retryAfterMs: 60_000 }))
    await node.bad(5, { route })
    await node.bad(5, { deployment: 'p/acme/c', route })
    expect([A, B, 'p/acme/c'].map((name) => node.health.of(name).state)).toEqual(['ejected', 'ejected', 'degraded'])
  })

  test('without routes is all of an operation', async () => {
    const node = await startNode()
    await node.good(1, { deployment: B })
    await node.bad(5)
    expect(node.health.of(A).state).toBe('ejected')
  })

  test('one that fails more than its peers is out, though below every other bound', async () => {
    const node = await startNode()
    const names = Array.from({ length: 5 }, (_, at) => `p/acme/${at}`)
    await pool(node, names, 0)
    const round = async (failing: number): Promise<void> => {
      for (let at = 0; at < 100; at += 1) {
        for (const [which, deployment] of names.entries()) {
          await (which === 0 && at % 10 < failing ? node.bad(1, { deployment, route }) : node.good(1, { deployment, route }))
        }
      }
      await node.clock.advance(9_000)
    }
    await node.clock.advance(10_000)
    await round(0)
    await node.clock.advance(20_000)
    expect(node.changes()).toEqual([])
    await round(3)
    await node.clock.advance(1_000)
    expect(node.health.of('p/acme/0')).toMatchObject({ state: 'ejected' })
    expect(node.health.of('p/acme/0').reason).toMatch(/70 % of its attempts end well, 94 % do in its pool/)
    expect(node.changes()).toEqual(['healthy>ejected'])
  })

  test('where all are uneven, the worst is no outlier', async () => {
    const node = await startNode()
    for (let which = 0; which < 5; which += 1) {
      const deployment = `p/acme/${which}`
      for (let at = 0; at < 110; at += 1)
        await (at % 10 >= 10 - which ? node.bad(1, { deployment, route }) : node.good(1, { deployment, route }))
    }
    await node.clock.advance(30_000)
    expect(node.changes()).toEqual([])
  })

  test('a small difference makes no outlier, though it is two deviations', async () => {
    const node = await startNode()
    const names = Array.from({ length: 5 }, (_, at) => `p/acme/${at}`)
    for (const deployment of names) await node.good(100, { deployment, route })
    await node.bad(2, { route, deployment: 'p/acme/0' })
    await node.clock.advance(30_000)
    expect(node.changes()).toEqual([])
  })
})

describe('slowness', () => {
  /** A hundred calls a second, each answered after `ms`, for `forMs`. */
  async function traffic(node: Node, ms: number, forMs: number, stop: () => boolean = () => false): Promise<number> {
    const from = node.clock.now()
    for (let passed = 0; passed < forMs && !stop(); passed += 10) {
      const one = node.attempt({ route, stream: true })
      node.clock.schedule(ms, () => void one.reply())
      await node.clock.advance(10)
    }
    return node.clock.now() - from
  }

  const at = (node: Node, state: string) => () => node.health.of(A).state === state

  async function usual(options: Parameters<typeof startNode>[0] = {}): Promise<Node> {
    const node = await startNode(options)
    await node.good(5, { deployment: B, route }, 50)
    await traffic(node, 50, 3_000)
    return node
  }

  test('ten times slower is degraded within two seconds, and well again soon after it is quick', async () => {
    const node = await usual()
    expect(await traffic(node, 500, 5_000, at(node, 'degraded'))).toBeLessThan(2_000)
    expect(node.health.of(A)).toMatchObject({ state: 'degraded', weight: 0.25 })
    expect(node.health.of(A).reason).toMatch(/first replies took more than 250 ms \(5 times its usual\)|no reply for/)
    await traffic(node, 500, 10_000)
    expect(node.health.of(A).state).toBe('degraded')
    expect(await traffic(node, 50, 30_000, at(node, 'healthy'))).toBeLessThan(20_000)
    expect(node.changes()).toEqual(['healthy>degraded', 'degraded>healthy'])
  })

  test('where asked for, it is then ejected, within two seconds of the fault', async () => {
    const node = await usual({ options: { latency: { ejectAfterMs: 1_000 } } })
    expect(await traffic(node, 500, 5_000, at(node, 'ejected'))).toBeLessThan(2_000)
    expect(node.changes()).toEqual(['healthy>degraded', 'degraded>ejected'])
  })

  test('twice as slow is nothing, and a few slow ones among many are nothing', async () => {
    const node = await usual()
    await traffic(node, 100, 3_000)
    for (let round = 0; round < 20; round += 1) {
      await traffic(node, 50, 400)
      await traffic(node, 500, 100)
    }
    expect(node.changes()).toEqual([])
  })

  test('what lasts is the new usual', async () => {
    const node = await usual({ options: { latency: { acceptAfterMs: 5_000 } } })
    await traffic(node, 500, 6_500)
    await node.clock.advance(20_000)
    await traffic(node, 500, 3_000)
    expect(node.health.of(A).state).toBe('healthy')
    expect(node.changes()).toEqual(['healthy>degraded', 'degraded>healthy'])
  })

  test('one that hangs is ejected within two seconds, before any call of it has failed', async () => {
    const node = await usual()
    expect(await traffic(node, 1e6, 5_000, at(node, 'ejected'))).toBeLessThan(1_200)
    expect(node.changes()).toEqual(['healthy>degraded', 'degraded>ejected'])
    expect(node.health.of(A).reason).toMatch(/no reply for \d+ ms, while several calls wait/)
  })

  test('is seen in the calls that wait when none comes any more', async () => {
    const node = await usual()
    const stuck: Attempt[] = [1, 2, 3, 4, 5].map(() => node.attempt({ route, stream: true }))
    await node.clock.advance(3_000)
    expect(node.health.of(A).state).toBe('ejected')
    await node.clock.advance(60_000)
    for (const one of stuck) await one.reply()
    expect(node.health.of(A)).toMatchObject({ inFlight: 0, state: 'healthy' })
  })

  test('is seen so also where its usual time is long, and nothing else happens', async () => {
    const node = await startNode()
    await pool(node, [A, B], 6_000)
    for (let at = 0; at < 5; at += 1) node.attempt({ route })
    await node.clock.advance(89_900)
    expect(node.health.of(A).state).toBe('degraded')
    await node.clock.advance(1_200)
    expect(node.health.of(A).state).toBe('ejected')
  })

  test('few slow replies, over the long window, are degraded as well', async () => {
    const node = await usual()
    await node.clock.advance(11_000)
    await node.good(9, { route, stream: true }, 800)
    expect(node.health.of(A).state).toBe('healthy')
    await node.good(1, { route, stream: true }, 800)
    expect(node.health.of(A)).toMatchObject({ state: 'degraded' })
    expect(node.health.of(A).reason).toMatch(/^10 of 10 first replies/)
  })

  test('two short spells are not one long one', async () => {
    const node = await usual({ options: { latency: { ejectAfterMs: 3_000 } } })
    await traffic(node, 500, 5_000, at(node, 'degraded'))
    await traffic(node, 50, 30_000)
    await traffic(node, 500, 5_000, at(node, 'degraded'))
    expect(node.changes()).toEqual(['healthy>degraded', 'degraded>healthy', 'healthy>degraded'])
  })

  test('four that wait are no finding, nor are five while others are answered', async () => {
    const node = await usual()
    for (let at = 0; at < 4; at += 1) node.attempt({ route, stream: true })
    await node.clock.advance(20_000)
    expect(node.changes()).toEqual([])
    node.attempt({ route, stream: true })
    await traffic(node, 50, 5_000)
    expect(node.changes()).toEqual([])
  })

  test('whole replies, which take as long as their text, are judged apart from streamed ones', async () => {
    const node = await usual()
    await node.good(30, { route }, 2_000)
    expect(node.changes()).toEqual([])
    await settle()
  })
})
