import { type ProcessBus, processBus, virtualClock } from '@switchyard/testkit'
import { describe, expect, test } from 'vitest'
import { type Node, settle, startNode } from './support/node.ts'

const A = 'p/acme/a'
const B = 'p/acme/b'
const ADA = { by: 'ada', reason: 'it answers nonsense' }
const GRACE = { by: 'grace', reason: 'mended' }

async function fleet(size = 2): Promise<{ bus: ProcessBus; nodes: readonly [Node, Node, ...Node[]]; add(): Promise<Node> }> {
  const bus = processBus()
  const clock = virtualClock()
  const add = (): Promise<Node> => startNode({ bus, clock })
  const nodes: Node[] = []
  for (let at = 0; at < size; at += 1) nodes.push(await add())
  return { bus, nodes: nodes as [Node, Node, ...Node[]], add }
}

async function eject(node: Node): Promise<void> {
  await node.good(1, { deployment: B })
  await node.bad(5)
  await settle()
}

describe('hints', () => {
  test('an ejection elsewhere halves the weight, and is no verdict', async () => {
    const { nodes } = await fleet()
    const [one, two] = nodes
    await eject(one)
    expect(one.health.of(A).weight).toBe(0)
    expect(two.health.of(A)).toMatchObject({ state: 'healthy', weight: 0.5 })
    expect(two.health.of(B).weight).toBe(1)
    expect(two.health.history(A)).toEqual([])
    expect(two.changes()).toEqual([])
  })

  test('of several nodes weigh more, but never take it out', async () => {
    const { nodes } = await fleet(6)
    const last = nodes[5] as Node
    const seen: number[] = []
    for (const node of nodes.slice(0, 5)) {
      await eject(node)
      seen.push(last.health.of(A).weight)
    }
    expect(seen).toEqual([0.5, 0.25, 0.125, 0.1, 0.1])
    expect(last.health.of(A).state).toBe('healthy')
  })

  test('rise with the slow start of the node that gave them, and end with it', async () => {
    const { nodes } = await fleet()
    const [one, two] = nodes
    await eject(one)
    await one.clock.advance(50_000)
    expect(one.health.of(A).state).toBe('recovering')
    expect(two.health.of(A).weight).toBeGreaterThanOrEqual(0.5)
    await one.clock.advance(10_001)
    expect([one.health.of(A).weight, two.health.of(A).weight]).toEqual([1, 1])
  })

  test('are forgotten when their node falls silent', async () => {
    const { bus, nodes } = await fleet()
    const [one, two] = nodes
    await eject(one)
    bus.carries = false
    await one.clock.advance(29_999)
    expect(two.health.of(A).weight).toBe(0.5)
    await one.clock.advance(1)
    expect(two.health.of(A).weight).toBe(1)
  })

  test('that come late or twice do nothing', async () => {
    const { bus, nodes } = await fleet()
    const [one, two] = nodes
    await eject(one)
    const old = [...bus.sent]
    await one.health.enable(A, GRACE)
    await settle()
    expect(two.health.of(A).weight).toBe(1)
    for (const message of old) await bus.publish('health', message)
    await settle()
    expect([one.health.of(A).weight, two.health.of(A).weight]).toEqual([1, 1])
  })

  test('lower the own weight of one that is degraded here', async () => {
    const { nodes } = await fleet()
    const [one, two] = nodes
    await two.bad(5)
    expect(two.health.of(A)).toMatchObject({ state: 'degraded', weight: 0.25 })
    await eject(one)
    expect(two.health.of(A)).toMatchObject({ state: 'degraded', weight: 0.125 })
  })
})

describe('what a person decided', () => {
  test('holds at every node, with who and why, until it is undone at any', async () => {
    const { nodes } = await fleet(3)
    await nodes[0].health.disable(A, ADA)
    await settle()
    for (const { health } of nodes) {
      expect(health.of(A)).toMatchObject({ state: 'disabled', weight: 0, reason: ADA.reason })
      expect(health.history(A)).toMatchObject([{ from: 'healthy', to: 'disabled', ...ADA }])
    }
    await nodes[2]?.health.enable(A, GRACE)
    await settle()
    for (const { health } of nodes) expect(health.of(A)).toMatchObject({ state: 'healthy', weight: 1 })
  })

  test('enables what another node had ejected', async () => {
    const { nodes } = await fleet()
    await eject(nodes[0])
    await nodes[1].health.enable(A, GRACE)
    await settle()
    expect(nodes[0].health.of(A)).toMatchObject({ state: 'healthy', weight: 1, reason: GRACE.reason })
    expect(nodes[1].health.of(A).weight).toBe(1)
  })

  test('is told to a node that comes later', async () => {
    const { nodes, add } = await fleet()
    await nodes[0].health.disable(A, ADA)
    const late = await add()
    await settle()
    expect(late.health.of(A)).toMatchObject({ state: 'disabled', reason: ADA.reason })
    expect(late.health.history(A)).toMatchObject([{ by: 'ada' }])
  })

  test('reaches a node that missed it, when it is said again', async () => {
    const { bus, nodes } = await fleet()
    const [one, two] = nodes
    bus.carries = false
    await one.health.disable(A, ADA)
    await one.clock.advance(120_000)
    expect(two.health.of(A).state).toBe('healthy')
    bus.carries = true
    await one.clock.advance(30_000)
    expect(two.health.of(A).state).toBe('disabled')
  })

  test('the later of two counts at all, also for a node that missed it and says the earlier', async () => {
    const { bus, nodes } = await fleet()
    const [one, two] = nodes
    await one.health.disable(A, ADA)
    await settle()
    bus.carries = false
    await two.health.enable(A, GRACE)
    await settle()
    expect([one.health.of(A).state, two.health.of(A).state]).toEqual(['disabled', 'healthy'])
    bus.carries = true
    await one.clock.advance(30_000)
    expect([one.health.of(A).state, two.health.of(A).state]).toEqual(['healthy', 'healthy'])
    expect(one.health.history(A)[0]).toMatchObject({ to: 'healthy', by: 'grace' })
  })

  test('of two at one instant, all nodes take the same', async () => {
    const { nodes } = await fleet()
    const [one, two] = nodes
    await Promise.all([one.health.disable(A, ADA), two.health.enable(A, GRACE)])
    await settle()
    expect(one.health.of(A).state).toBe(two.health.of(A).state)
  })
})

describe('without the bus', () => {
  test('a node is right alone, and says that it is', async () => {
    const bus = processBus()
    bus.down = true
    const node = await startNode({ bus })
    await eject(node)
    expect(node.health.of(A).state).toBe('ejected')
    await node.health.disable(B, ADA)
    await node.health.disable(A, ADA)
    expect([node.health.of(A).state, node.health.of(B).state]).toEqual(['disabled', 'disabled'])
    expect(node.log.records.filter(({ message }) => /bus/.test(message ?? '')).length).toBe(1)
    expect((await startNode()).health.capabilities).toEqual({ shared: false })
    expect(node.health.capabilities).toEqual({ shared: true })
  })

  test('a node listens as soon as the bus is back', async () => {
    const { bus, nodes } = await fleet()
    bus.down = true
    const late = await startNode({ bus, clock: nodes[0].clock })
    await late.good(1)
    bus.down = false
    await late.clock.advance(16_000)
    await nodes[0].health.disable(A, ADA)
    await settle()
    expect(late.health.of(A).state).toBe('disabled')
  })
})

describe('a message', () => {
  const text = (given: string): Uint8Array => new TextEncoder().encode(given)
  const hint = { v: 1, kind: 'hint', node: 'x', version: 9e15, deployment: A, weight: 0, forMs: 1e9 }
  const verdict = { v: 1, kind: 'verdict', node: 'x', deployment: A, disabled: true, by: 'b', reason: 'r', at: 1, origin: 'x' }

  test.each<[string, Uint8Array]>([
    ['no bytes', new Uint8Array()],
    ['bytes that are no text', Uint8Array.of(0xff, 0xfe, 0x7b)],
    ['text that is no JSON', text('{')],
    ['a number', text('7')],
    ['null', text('null')],
    ['another version', text(JSON.stringify({ ...hint, v: 2 }))],
    ['an unknown kind', text(JSON.stringify({ ...hint, kind: 'order' }))],
    ['a weight above 1', text(JSON.stringify({ ...hint, weight: 2 }))],
    ['a weight below 0', text(JSON.stringify({ ...hint, weight: -1 }))],
    ['no deployment', text(JSON.stringify({ ...verdict, deployment: '' }))],
    ['nobody behind it', text(JSON.stringify({ ...verdict, by: '' }))],
    ['too much', text(JSON.stringify({ ...hint, more: 'x'.repeat(20_000) }))],
  ])('of %s does nothing', async (_, bytes) => {
    const { bus, nodes } = await fleet()
    await bus.publish('health', bytes)
    await settle()
    expect(nodes[0].health.list()).toEqual([])
  })

  test('with fields of a later release is read', async () => {
    const { bus, nodes } = await fleet()
    await bus.publish('health', text(JSON.stringify({ ...hint, more: 1 })))
    await settle()
    expect(nodes[0].health.of(A).weight).toBe(0.5)
    await nodes[0].clock.advance(30_000)
    expect(nodes[0].health.of(A).weight).toBe(1)
  })

  test('of any number of nodes takes no more room than 64 do', async () => {
    const { bus, nodes } = await fleet()
    const from = (at: number): object => ({ ...hint, node: `n${at}`, weight: at < 64 ? 0.999 : 0 })
    for (let at = 0; at < 200; at += 1) await bus.publish('health', text(JSON.stringify(from(at))))
    await settle()
    expect(nodes[0].health.of(A).weight).toBeCloseTo(0.999 ** 64, 9)
  })

  test('long texts of a person are cut, and arrive', async () => {
    const { nodes } = await fleet()
    await nodes[0].health.disable(A, { by: 'x'.repeat(50_000), reason: 'y'.repeat(50_000) })
    await settle()
    expect(nodes[1].health.of(A)).toMatchObject({ state: 'disabled', reason: 'y'.repeat(1000) })
  })
})

test('closed, a node neither hears nor tells, and leaves no timer', async () => {
  const { bus, nodes } = await fleet()
  const [one, two] = nodes
  await eject(one)
  await two.health.disable(B, ADA)
  await settle()
  await one.started.close()
  await two.started.close()
  expect(one.clock.pending()).toBe(0)
  const sent = bus.sent.length
  await bus.publish('health', new TextEncoder().encode('{"v":1,"kind":"ask","node":"x"}'))
  await settle()
  await two.health.enable(B, GRACE)
  expect(bus.sent.length).toBe(sent + 1)
  expect(one.health.of(B).state).toBe('disabled')
})
