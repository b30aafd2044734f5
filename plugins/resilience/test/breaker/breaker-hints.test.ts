import { recordingLogger, startPlugin, virtualClock } from '@switchyard/testkit'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BreakerHints } from '../../src/breaker/breaker-hints.ts'
import { encodeHint, type HintMessage } from '../../src/breaker/hint-message.ts'
import { fallbackPolicy } from '../../src/fallback/fallback-policy.ts'
import { Hedges } from '../../src/fallback/hedges.ts'
import { resilience } from '../../src/index.ts'
import { type FakeBus, fakeBus } from '../fake-bus.ts'
import { fakeCall, unavailable } from '../fake-call.ts'
import { alternative, testLanes } from '../test-lanes.ts'

const QUERY = 'sql.query'
const said = (more: Partial<HintMessage> = {}): HintMessage => ({
  node: 'other',
  version: 1,
  operation: QUERY,
  deployment: 'a',
  forMs: 15_000,
  ...more,
})
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

async function node(bus: FakeBus | null = fakeBus(), name = 'here') {
  const clock = virtualClock()
  const log = recordingLogger()
  const hints = new BreakerHints({ bus: bus ?? undefined, node: name, clock, log, topic: 'resilience', hintMs: 60_000 })
  await hints.start()
  const order = (): string =>
    hints
      .ranked(
        QUERY,
        ['a', 'b', 'c'].map((target) => alternative(target)),
      )
      .map(({ target }) => target)
      .join('')
  const hear = (message: HintMessage | Uint8Array): Promise<void> =>
    (bus as FakeBus).publish('resilience', message instanceof Uint8Array ? message : encodeHint(message))
  return { clock, log, hints, order, hear }
}

describe('a breaker that is open at another node', () => {
  test('makes its target the last alternative, until it closes there', async () => {
    const { order, hear } = await node()
    expect(order()).toBe('abc')
    await hear(said())
    expect(order()).toBe('bca')
    await hear(said({ deployment: 'b' }))
    expect(order()).toBe('cab')
    await hear(said({ version: 2, forMs: 0 }))
    expect(order()).toBe('acb')
  })

  test('is forgotten when its time is over, or after a minute', async () => {
    const { clock, order, hear, hints } = await node()
    await hear(said({ forMs: 15_000 }))
    await hear(said({ deployment: 'b', forMs: 1e15 }))
    await clock.advance(14_999)
    expect(order()).toBe('cab')
    await clock.advance(1)
    expect(order()).toBe('acb')
    await clock.advance(45_000)
    expect(order()).toBe('abc')
    expect(hints.isOpenElsewhere(QUERY, 'b', clock.now())).toBe(false)
  })

  test('stays open while any node says so, and what comes late does nothing', async () => {
    const { order, hear } = await node()
    await hear(said({ node: 'x', version: 5 }))
    await hear(said({ node: 'y', version: 1 }))
    await hear(said({ node: 'x', version: 6, forMs: 0 }))
    expect(order()).toBe('bca')
    await hear(said({ node: 'y', version: 2, forMs: 0 }))
    await hear(said({ node: 'x', version: 5 }))
    expect(order()).toBe('abc')
  })

  test('at one operation says nothing of another', async () => {
    const { order, hear } = await node()
    await hear(said({ operation: 'model.invoke' }))
    expect(order()).toBe('abc')
  })

  test('is a hint: the first choice stands, and this node’s breaker lets calls through', async () => {
    const { clock, hear, hints } = await node()
    await hear(said({ deployment: 'orders' }))
    await hear(said({ deployment: 'a' }))
    const { settings, lanes } = testLanes()
    const tried: string[] = []
    const ranked = hints.ranked.bind(hints)
    const policy = fallbackPolicy({ name: 'fallback', clock, settings, hedges: new Hedges(), ranked })
    const call = fakeCall({ alternatives: [alternative('a'), alternative('b')] })
    await policy
      .around(call, (given) => {
        tried.push(given.target)
        return Promise.reject(unavailable())
      })
      .catch(() => {})
    expect(tried).toEqual(['orders', 'b', 'a'])
    expect(lanes.at(QUERY, 'orders', clock.now()).breaker.state).toBe('closed')
  })
})

describe('what is no word of another node', () => {
  test.each([
    ['nothing', bytes('')],
    ['no JSON', bytes('{')],
    ['null', bytes('null')],
    ['bytes that are no text', new Uint8Array([0xff, 0xfe, 0x00])],
    ['another version', bytes(JSON.stringify({ v: 2, ...said() }))],
    ['no deployment', bytes(JSON.stringify({ v: 1, ...said({ deployment: '' }) }))],
    ['a name of megabytes', bytes(JSON.stringify({ v: 1, ...said({ deployment: 'a'.repeat(2_001) }) }))],
    ['less than no time', encodeHint(said({ forMs: -1 }))],
    ['a time that is none', bytes(JSON.stringify({ v: 1, ...said(), forMs: '15000' }))],
    ['a message too large', bytes(JSON.stringify({ v: 1, ...said(), more: 'x'.repeat(10_000) }))],
    ['its own', encodeHint(said({ node: 'here' }))],
  ])('%s does nothing', async (_name, message) => {
    const { order, hear } = await node()
    await hear(message)
    expect(order()).toBe('abc')
  })

  test('any bytes at all do not throw, and never more than reorder', async () => {
    const { order, hear, hints } = await node()
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.uint8Array(), fc.json().map(bytes)), async (message) => {
        await hear(message)
        expect([...order()].sort().join('')).toBe('abc')
      }),
    )
    await hints.close()
  })

  test('a flood of names, nodes and deployments is bounded', async () => {
    const { order, hear, hints } = await node()
    for (let i = 0; i < 6_000; i++) await hear(said({ deployment: `made-up-${i}` }))
    for (let i = 0; i < 200; i++) await hear(said({ node: `node-${i}` }))
    expect(order()).toBe('bca')
    expect((hints as unknown as { heard: Map<string, Map<string, unknown>> }).heard.size).toBe(4_096)
    expect((hints as unknown as { heard: Map<string, Map<string, unknown>> }).heard.get(`${QUERY} a`)?.size).toBe(64)
  })
})

describe('a bus that fails', () => {
  test('is warned of once, and listened to again with the next change', async () => {
    const bus = fakeBus()
    bus.broken = true
    const { clock, hints, log, order, hear } = await node(bus)
    hints.tell(QUERY, 'x', 1_000)
    await clock.advance(0)
    expect(log.records.filter(({ level }) => level === 'warn')).toHaveLength(1)
    bus.broken = false
    hints.tell(QUERY, 'x', 1_000)
    await clock.advance(0)
    expect(bus.published).toHaveLength(1)
    await hear(said())
    expect(order()).toBe('bca')
  })

  test('throws at nobody who changes a breaker', async () => {
    const bus = fakeBus()
    const { hints, clock } = await node(bus)
    Object.assign(bus, {
      publish: () => {
        throw new TypeError('a bus that does not even reject')
      },
    })
    hints.tell(QUERY, 'x', 1_000)
    await clock.advance(0)
  })

  test('that is not there costs nothing', async () => {
    const { hints, order } = await node(null)
    hints.tell(QUERY, 'a', 1_000)
    expect(order()).toBe('abc')
    await hints.close()
  })
})

test('two nodes: one opens, the other hears, and both leave the bus', async () => {
  const bus = fakeBus()
  const clock = virtualClock()
  const left = await startPlugin(resilience({ retry: { maxAttempts: 1 } }), { clock, deps: { bus } })
  const { order } = await node(bus)
  const breaker = left.policies.find(({ name }) => name.endsWith('/breaker'))
  for (let i = 0; i < 5; i++)
    await breaker?.around(fakeCall({ target: 'a' }), () => Promise.reject(unavailable())).catch(() => {})
  await clock.advance(0)
  expect(left.emitted.map(({ event }) => event)).toContain('breaker:opened')
  expect(order()).toBe('bca')
  for (let i = 0; i < 3; i++) {
    await clock.advance(20_000)
    await breaker?.around(fakeCall({ target: 'a' }), (async () => ({ rows: [] })) as never)
  }
  expect(left.emitted.map(({ event }) => event)).toContain('breaker:closed')
  await clock.advance(0)
  expect(order()).toBe('abc')
  await left.close()
  expect(bus.listeners.size).toBe(1)
})
