import { SwitchyardError } from '@switchyard/contract'
import { recordingLogger, virtualClock } from '@switchyard/testkit'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { singleFlight } from '../../src/flight/single-flight.ts'
import { type Caller, call, type Work } from './support/caller.ts'
import { plainFleet } from './support/plain-fleet.ts'

const NODES = 3
const KEYS = ['a', 'b']

const LENGTH = { minLength: 10, maxLength: 50, size: 'max' } as const
const node = fc.nat(NODES - 1)
const key = fc.constantFrom('a', 'a', 'a', 'b')
const calm = [
  fc.record({ do: fc.constant('call' as const), node, key, slow: fc.boolean() }),
  fc.record({ do: fc.constant('call' as const), node, key, slow: fc.constant(false) }),
  fc.record({ do: fc.constant('call' as const), node, key, slow: fc.constant(false) }),
  fc.record({ do: fc.constant('emit' as const), work: fc.nat() }),
  fc.record({ do: fc.constant('emit' as const), work: fc.nat() }),
  fc.record({ do: fc.constant('emit' as const), work: fc.nat() }),
  fc.record({ do: fc.constant('leave' as const), caller: fc.nat() }),
  fc.record({ do: fc.constant('end' as const), work: fc.nat() }),
  fc.record({ do: fc.constant('leave' as const), caller: fc.nat() }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(0, 1, 100, 1_200) }),
  fc.record({
    do: fc.constant('fail' as const),
    work: fc.nat(),
    code: fc.constantFrom('UPSTREAM_UNAVAILABLE' as const, 'BUDGET_EXCEEDED' as const, 'UPSTREAM_TRUNCATED' as const),
  }),
]
const rough = [
  fc.record({ do: fc.constant('lose' as const), key }),
  fc.record({
    do: fc.constant('weather' as const),
    node,
    as: fc.constantFrom('fair' as const, 'failing' as const, 'silent' as const),
  }),
]
type Step = typeof calm extends fc.Arbitrary<infer S>[] ? S | (typeof rough extends fc.Arbitrary<infer R>[] ? R : never) : never

async function play(steps: readonly Step[], isCalm: boolean): Promise<void> {
  const clock = virtualClock()
  const fleet = plainFleet()
  const ports = Array.from({ length: NODES }, () => fleet.node())
  const flights = ports.map((port) =>
    singleFlight({ flights: port, clock, log: recordingLogger(), maxBytes: 1 << 20, remoteTimeoutMs: 250 }),
  )
  const callers: (Caller & { readonly node: number })[] = []
  const works: (Work & { readonly node: number })[] = []
  const slow: (() => void)[] = []

  const settle = async (ms: number): Promise<void> => {
    // One turn of the loop for each hop that the plain fleet takes.
    for (let turn = 0; turn < 12; turn += 1) await clock.advance(0)
    await clock.advance(ms)
    for (let turn = 0; turn < 12; turn += 1) await clock.advance(0)
    for (const each of KEYS) {
      const leading = works.filter((work) => work.key === each && work.underWay)
      const most = isCalm ? 1 : NODES
      expect(leading.length, `leads of ${each} under way`).toBeLessThanOrEqual(most)
      for (let at = 0; at < NODES; at += 1) {
        expect(leading.filter((work) => work.node === at).length, `of one node`).toBeLessThanOrEqual(1)
      }
    }
  }

  let serial = 0
  for (const step of steps) {
    const live = works.filter((work) => work.underWay)
    const work = 'work' in step ? live[step.work % Math.max(1, live.length)] : undefined
    if (step.do === 'call') {
      const at = step.node
      const caller = call(flights[at] as (typeof flights)[number], step.key, {
        onWork: (begun) => works.push(Object.assign(begun, { node: at })),
        ...(step.slow ? { pace: () => new Promise<void>((resolve) => slow.push(resolve)) } : {}),
      })
      callers.push(Object.assign(caller, { node: at }))
    } else if (step.do === 'emit') {
      serial += 1
      work?.emit(`${work.key}${serial}`)
    } else if (step.do === 'end') work?.finish()
    else if (step.do === 'fail') work?.finish(new SwitchyardError(step.code, 'as the test says'))
    else if (step.do === 'leave') callers[step.caller % Math.max(1, callers.length)]?.leave()
    else if (step.do === 'lose') fleet.lose(step.key)
    else if (step.do === 'weather') (ports[step.node] as (typeof ports)[number]).weather = step.as
    await settle(step.do === 'wait' ? step.ms : 0)
  }

  // All come to their end.
  for (let round = 0; round < 60; round += 1) {
    for (const work of works) work.finish()
    for (const resolve of slow.splice(0)) resolve()
    await settle(round < 40 ? 0 : 1_000)
  }

  for (const caller of callers) {
    const { got, ended, left } = caller
    expect(ended, `a caller of ${caller.key} is left waiting`).toBeDefined()
    if (ended !== 'well') expect(SwitchyardError.is(ended), String(ended)).toBe(true)
    const voices = works.filter(({ key: of, sent }) => of === caller.key && got.every((word, at) => sent[at] === word))
    if (got.length > 0) expect(voices.length, `${got} is of no work`).toBeGreaterThan(0)
    if (isCalm && !left && SwitchyardError.is(ended)) {
      const { code } = ended
      const earned = voices.some((work) => {
        if (!SwitchyardError.is(work.ended)) return false
        const isOwn = work.ended.code === 'BUDGET_EXCEEDED'
        if (!isOwn || caller.works.includes(work)) return code === work.ended.code
        return got.length > 0 && code === 'UPSTREAM_TRUNCATED'
      })
      expect(earned, `${code} after [${got}], which nothing here told`).toBe(true)
    }
    if (ended === 'well') {
      const whole = voices.some(({ sent, ended: how }) => how === 'well' && sent.length === got.length)
      expect(whole, `${got} is not all of a work that ended well`).toBe(true)
    }
    expect(caller.landed.length, 'landed, for each lead').toBe(caller.works.length)
    for (const [at, frames] of caller.landed.entries()) {
      const { sent, ended: how } = caller.works[at] as Work
      if (how !== 'well') expect(frames).toBeUndefined()
      else if (frames !== undefined) expect(frames).toEqual(sent)
    }
    expect(caller.hooks, 'listeners on the signal of a caller').toBe(0)
  }
  for (const flight of flights) expect(flight.underWay).toBe(0)
  expect([fleet.flights, fleet.listeners, clock.pending()]).toEqual([0, 0, 0])
}

test('one lead a key over the fleet, the same bytes to all, and nothing left behind', { timeout: 60_000 }, async () => {
  const steps = fc.array(fc.oneof(...calm), LENGTH)
  await fc.assert(
    fc.asyncProperty(steps, (all) => play(all, true)),
    { numRuns: 150 },
  )
})

test('the same while leads are lost and the fleet fails, but for one lead a node', { timeout: 60_000 }, async () => {
  const steps = fc.array(fc.oneof(...calm, ...rough), LENGTH)
  await fc.assert(
    fc.asyncProperty(steps, (all) => play(all as Step[], false)),
    { numRuns: 150 },
  )
})
