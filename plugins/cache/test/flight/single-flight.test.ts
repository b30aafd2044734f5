import { type Flights, SwitchyardError } from '@switchyard/contract'
import { recordingLogger, virtualClock } from '@switchyard/testkit'
import { describe, expect, test } from 'vitest'
import { type SingleFlight, singleFlight } from '../../src/flight/single-flight.ts'
import { type Caller, call, type Work } from './support/caller.ts'
import { plainFleet } from './support/plain-fleet.ts'

const clock = virtualClock()
const make = (flights?: Flights, maxBytes = 1_000): SingleFlight =>
  singleFlight({ flights, clock, log: recordingLogger(), maxBytes, remoteTimeoutMs: 250 })
const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn += 1) await clock.advance(0)
}
const workOf = async (caller: Caller, at = 0): Promise<Work> => {
  await settle()
  return caller.works[at] as Work
}
const failure = (code: ConstructorParameters<typeof SwitchyardError>[0], details?: Record<string, unknown>): SwitchyardError =>
  new SwitchyardError(code, 'as the test says', details === undefined ? {} : { details })

describe('in one process', () => {
  test('a late caller gets at once what has come, and then all as it comes', async () => {
    const flight = make()
    const first = call(flight, 'k')
    const work = await workOf(first)
    work.emit('1')
    work.emit('2')
    await settle()
    const late = call(flight, 'k')
    await settle()
    expect(late.got).toEqual(['1', '2'])
    work.emit('3')
    await settle()
    expect([first.got, late.got]).toEqual([
      ['1', '2', '3'],
      ['1', '2', '3'],
    ])
    work.finish()
    await settle()
    expect([first.role, late.role, first.ended, late.ended]).toEqual(['leader', 'listener', 'well', 'well'])
    expect([first.landed, late.landed]).toEqual([[['1', '2', '3']], []])
    expect([flight.underWay, clock.pending(), first.hooks, late.hooks]).toEqual([0, 0, 0, 0])
  })

  test('other keys are other flights', async () => {
    const flight = make()
    const [one, two] = [call(flight, 'one'), call(flight, 'two')]
    expect((await workOf(one)) === (await workOf(two))).toBe(false)
    expect(flight.underWay).toBe(2)
    one.leave()
    two.leave()
    await settle()
    expect(flight.underWay).toBe(0)
  })

  test('the leader’s client may leave: the work goes on for the others, and stops with the last of them', async () => {
    const flight = make()
    const [first, second] = [call(flight, 'k'), call(flight, 'k')]
    const work = await workOf(first)
    work.emit('1')
    first.leave()
    await settle()
    expect([first.ended, work.signal.aborted]).toEqual([expect.objectContaining({ code: 'ABORTED' }), false])
    work.emit('2')
    await settle()
    expect(second.got).toEqual(['1', '2'])
    second.leave()
    await settle()
    expect([work.signal.aborted, work.signal.reason.code, first.landed]).toEqual([true, 'ABORTED', [undefined]])
    expect([flight.underWay, first.hooks, second.hooks]).toEqual([0, 0, 0])
  })

  test('a slow reader holds nobody back and misses nothing', async () => {
    const flight = make()
    const slow: (() => void)[] = []
    const fast = call(flight, 'k')
    const behind = call(flight, 'k', { pace: () => new Promise((resolve) => slow.push(resolve)) })
    const work = await workOf(fast)
    for (const word of ['1', '2', '3']) work.emit(word)
    work.finish()
    await settle()
    expect([fast.got, fast.ended, behind.got]).toEqual([['1', '2', '3'], 'well', []])
    // The flight is over: nothing hangs on the signal of one that reads on.
    expect([flight.underWay, behind.hooks]).toEqual([0, 0])
    for (let turn = 0; turn < 4; turn += 1) {
      slow.shift()?.()
      await settle()
    }
    expect([behind.got, behind.ended]).toEqual([['1', '2', '3'], 'well'])
  })

  test('breaking off its frames leaves, as an abort does', async () => {
    const flight = make()
    const first = call(flight, 'k')
    const work = await workOf(first)
    const controller = new AbortController()
    const flying = flight.fly('k', { signal: controller.signal, lead: () => expect.unreachable(), landed: () => {} })
    work.emit('1')
    for await (const frame of (await flying).frames) {
      expect(frame).toEqual(new TextEncoder().encode('1'))
      break
    }
    first.leave()
    await settle()
    expect(work.signal.aborted).toBe(true)
  })

  test('a failure of the upstream is everybody’s, before the first frame and after it', async () => {
    const flight = make()
    for (const before of [[], ['1']]) {
      const [first, second] = [call(flight, 'k'), call(flight, 'k')]
      const work = await workOf(first)
      for (const word of before) work.emit(word)
      const told = failure('UPSTREAM_UNAVAILABLE')
      work.finish(told)
      await settle()
      expect([first.ended, second.ended, second.works.length]).toEqual([told, told, 0])
      expect([first.got, second.got, first.landed]).toEqual([before, before, [undefined]])
    }
  })

  test.each([
    ['BUDGET_EXCEEDED', undefined, true],
    ['RATE_LIMITED', undefined, true],
    ['RATE_LIMITED', { status: 429 }, false],
    ['OVERLOADED', { guard: 'bulkhead' }, true],
    ['FORBIDDEN', undefined, true],
    ['UNAUTHENTICATED', undefined, true],
    ['POLICY_REFUSED', undefined, true],
    ['ABORTED', undefined, true],
    ['TIMEOUT', undefined, true],
    ['TIMEOUT', { phase: 'total' }, true],
    ['TIMEOUT', { phase: 'first' }, false],
    ['CIRCUIT_OPEN', undefined, false],
    ['UPSTREAM_REJECTED', { status: 400 }, false],
    ['INTERNAL', undefined, false],
  ] as const)('%s with %o is about the leader’s own call: %s', async (code, details, isOwn) => {
    const flight = make()
    const [first, second, third] = [call(flight, 'k'), call(flight, 'k'), call(flight, 'k')]
    const told = failure(code, details)
    ;(await workOf(first)).finish(told)
    await settle()
    expect(first.ended).toBe(told)
    if (!isOwn) {
      expect([second.ended, third.ended]).toEqual([told, told])
      return
    }
    expect([second.ended, third.ended]).toEqual([undefined, undefined])
    const next = await workOf(second)
    next.emit('1')
    next.finish()
    await settle()
    expect([second.role, third.role, second.got, third.got]).toEqual(['leader', 'listener', ['1'], ['1']])
    expect([first.landed, second.landed, flight.underWay]).toEqual([[undefined], [['1']], 0])
  })

  test('where it is the leader’s own and frames were handed out, others are told that theirs is cut off', async () => {
    const flight = make()
    const [first, second] = [call(flight, 'k'), call(flight, 'k')]
    const work = await workOf(first)
    work.emit('1')
    await settle()
    work.finish(failure('TIMEOUT'))
    await settle()
    expect(first.ended).toMatchObject({ code: 'TIMEOUT' })
    expect(second.ended).toMatchObject({ code: 'UPSTREAM_TRUNCATED', retryable: true, cause: { code: 'TIMEOUT' } })
  })

  test('a lead that throws is one that rejects; what is no SwitchyardError is INTERNAL', async () => {
    const flight = make()
    const lead = (): never => {
      throw new RangeError('of the test')
    }
    const flying = flight.fly('k', { signal: new AbortController().signal, lead, landed: () => {} })
    await expect(flying).rejects.toMatchObject({ code: 'INTERNAL', cause: expect.any(RangeError) })
  })

  test('a reply without a frame ends for all', async () => {
    const flight = make()
    const [first, second] = [call(flight, 'k'), call(flight, 'k')]
    ;(await workOf(first)).finish()
    await settle()
    expect([first.ended, second.ended, first.landed]).toEqual(['well', 'well', [[]]])
  })

  test('until what landed is stored, others still get it; a store that hangs is not waited for', async () => {
    const flight = make()
    const stored = Promise.withResolvers<void>()
    const first = call(flight, 'k', { landed: () => stored.promise })
    const work = await workOf(first)
    work.emit('1')
    work.finish()
    await settle()
    const late = call(flight, 'k')
    await settle()
    expect([first.ended, late.got, late.ended, late.works.length, late.hooks]).toEqual(['well', ['1'], 'well', 0, 0])
    await clock.advance(250)
    await settle()
    expect([flight.underWay, clock.pending()]).toEqual([0, 0])
    const next = call(flight, 'k')
    await settle()
    expect(next.works.length).toBe(1)
    next.leave()
    await settle()
  })

  test('a landing that fails is nobody’s failure', async () => {
    const flight = make()
    const first = call(flight, 'k', { landed: () => Promise.reject(new Error('of the test')) })
    ;(await workOf(first)).finish()
    await settle()
    expect([first.ended, flight.underWay, clock.pending()]).toEqual(['well', 0, 0])
  })

  test('an aborted caller never joins, and a closed flight takes none and ends all', async () => {
    const flight = make()
    const options = { lead: () => expect.unreachable(), landed: () => {} }
    await expect(flight.fly('k', { ...options, signal: AbortSignal.abort(failure('TIMEOUT')) })).rejects.toMatchObject({
      code: 'TIMEOUT',
    })
    await expect(flight.fly('k', { ...options, signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' })
    const first = call(flight, 'k')
    const work = await workOf(first)
    work.emit('1')
    await settle()
    flight.close()
    flight.close()
    await settle()
    expect([first.ended, work.signal.aborted, flight.underWay]).toEqual([expect.objectContaining({ code: 'CLOSED' }), true, 0])
    await expect(flight.fly('k', { ...options, signal: new AbortController().signal })).rejects.toMatchObject({
      code: 'CLOSED',
    })
  })
})

describe('a reply that outgrows maxBytes', () => {
  const big = (at: number): string => String(at).padStart(400, '0')

  test('takes no more callers, goes at the pace of its one reader, and is not stored', async () => {
    const flight = make()
    const slow: (() => void)[] = []
    const first = call(flight, 'k', { pace: () => new Promise((resolve) => slow.push(resolve)) })
    const work = await workOf(first)
    for (let at = 0; at < 10; at += 1) work.emit(big(at))
    work.finish()
    await settle()
    const other = call(flight, 'k')
    const otherWork = await workOf(other)
    expect(otherWork).toBeDefined()
    other.leave()
    for (let turn = 0; turn < 12; turn += 1) {
      slow.shift()?.()
      await settle()
    }
    expect([first.got.length, first.ended, first.landed]).toEqual([10, 'well', [undefined]])
    expect(first.got).toEqual(Array.from({ length: 10 }, (_, at) => big(at)))
    expect(flight.underWay).toBe(0)
  })

  test('is read as its fastest reader reads, and tells those who fall behind', async () => {
    const flight = make()
    const slow: (() => void)[] = []
    const fast = call(flight, 'k')
    const behind = call(flight, 'k', { pace: () => new Promise((resolve) => slow.push(resolve)) })
    const work = await workOf(fast)
    for (let at = 0; at < 10; at += 1) work.emit(big(at))
    work.finish()
    await settle()
    expect([fast.got.length, fast.ended]).toEqual([10, 'well'])
    slow.shift()?.()
    await settle()
    expect([behind.got, behind.ended]).toEqual([[], expect.objectContaining({ code: 'OVERLOADED' })])
    expect([flight.underWay, behind.hooks]).toEqual([0, 0])
  })

  test('whose reader leaves stops the work', async () => {
    const flight = make()
    const slow: (() => void)[] = []
    const first = call(flight, 'k', { pace: () => new Promise((resolve) => slow.push(resolve)) })
    const work = await workOf(first)
    for (let at = 0; at < 10; at += 1) work.emit(big(at))
    await settle()
    first.leave()
    await settle()
    expect([work.signal.aborted, flight.underWay]).toEqual([true, 0])
  })
})

describe('over a fleet', () => {
  const two = (maxBytes?: number) => {
    const fleet = plainFleet(maxBytes)
    const [here, there] = [fleet.node(), fleet.node()]
    return { fleet, here, there, one: make(here), other: make(there) }
  }

  test('one leads for two nodes, and what it says of the upstream is said at both', async () => {
    const { one, other, fleet } = two()
    for (const told of [undefined, new SwitchyardError('UPSTREAM_REJECTED', 'no', { details: { status: 400, big: 1n } })]) {
      const first = call(one, 'k')
      const work = await workOf(first)
      const second = call(other, 'k')
      await settle()
      work.emit('1')
      work.emit('')
      work.finish(told)
      await settle()
      const ended = told === undefined ? 'well' : expect.objectContaining({ code: 'UPSTREAM_REJECTED', message: 'no' })
      expect([second.role, second.got, second.ended, second.landed]).toEqual(['listener', ['1', ''], ended, []])
      expect([one.underWay, other.underWay, fleet.flights, fleet.listeners, clock.pending()]).toEqual([0, 0, 0, 0, 0])
    }
  })

  test('the work goes on for the other node when the last one here has left, and stops once nobody is there', async () => {
    const { one, other } = two()
    const first = call(one, 'k')
    const work = await workOf(first)
    const second = call(other, 'k')
    await settle()
    first.leave()
    await clock.advance(5_000)
    work.emit('1')
    await settle()
    expect([second.got, work.signal.aborted]).toEqual([['1'], false])
    second.leave()
    await settle()
    await clock.advance(1_000)
    await settle()
    expect([work.signal.aborted, one.underWay, other.underWay, clock.pending()]).toEqual([true, 0, 0, 0])
  })

  test('who comes back while others are asked for keeps the work', async () => {
    const { one, other } = two()
    const first = call(one, 'k')
    const work = await workOf(first)
    const second = call(other, 'k')
    await settle()
    first.leave()
    await settle()
    const third = call(one, 'k')
    second.leave()
    await clock.advance(3_000)
    work.emit('1')
    work.finish()
    await settle()
    expect([third.got, third.ended, clock.pending()]).toEqual([['1'], 'well', 0])
  })

  test('a lost leader: who has nothing yet elects another, who has something is told', async () => {
    const { one, other, fleet } = two()
    const first = call(one, 'k')
    const work = await workOf(first)
    const second = call(other, 'k')
    await settle()
    work.emit('1')
    await settle()
    fleet.lose('k')
    await settle()
    expect(second.ended).toMatchObject({ code: 'UPSTREAM_TRUNCATED', retryable: true, cause: { code: 'CONFLICT' } })
    // Those who share the node of the leader go on: nothing is wrong with what they get.
    work.emit('2')
    work.finish()
    await settle()
    expect([first.got, first.ended]).toEqual([['1', '2'], 'well'])
  })

  test('a leader that is lost before anything came stops, and listens to the next', async () => {
    const { one, other, fleet } = two()
    const first = call(one, 'k')
    const work = await workOf(first)
    const second = call(other, 'k')
    await settle()
    fleet.lose('k')
    await settle()
    const works = [...first.works.slice(1), ...second.works]
    expect([work.signal.aborted, works.length, first.landed]).toEqual([true, 1, [undefined]])
    works[0]?.emit('1')
    works[0]?.finish()
    await settle()
    expect([first.got, second.got, first.ended, second.ended]).toEqual([['1'], ['1'], 'well', 'well'])
  })

  test('leaders that are lost again and again do not keep a call for ever', async () => {
    const { one, fleet } = two()
    const first = call(one, 'k')
    for (let at = 0; at < 5; at += 1) {
      await settle()
      fleet.lose('k')
    }
    const last = await workOf(first, first.works.length - 1)
    last.emit('1')
    last.finish()
    await settle()
    expect([first.works.length, first.got, first.ended]).toEqual([4, ['1'], 'well'])
  })

  test.each(['failing', 'silent'] as const)(
    'a %s fleet: the call goes on alone, is counted, and soon does not wait',
    async (weather) => {
      const { one, here } = two()
      here.weather = weather
      for (let at = 1; at <= 3; at += 1) {
        const caller = call(one, `${at}`)
        await settle()
        await clock.advance(weather === 'silent' ? 250 : 0)
        await settle()
        expect([caller.works.length, one.failures]).toEqual([1, at])
        caller.leave()
      }
      const fourth = call(one, '4')
      await settle()
      expect([fourth.works.length, one.failures]).toEqual([1, 3])
      fourth.leave()
      await settle()
      here.weather = 'fair'
      await clock.advance(2_000)
      const fifth = call(one, '5')
      await settle()
      expect(one.failures).toBe(3)
      fifth.leave()
      await settle()
      expect([one.underWay, clock.pending()]).toEqual([0, 0])
    },
  )

  test('a place that came too late is given back', async () => {
    const late = Promise.withResolvers<void>()
    const fleet = plainFleet()
    const port = fleet.node()
    const join = port.join.bind(port)
    const one = make(Object.assign(port, { join: (key: string) => late.promise.then(() => join(key)) }))
    const first = call(one, 'k')
    await settle()
    await clock.advance(250)
    const work = await workOf(first)
    late.resolve()
    await settle()
    expect([work.underWay, fleet.flights]).toEqual([true, 0])
    first.leave()
    await settle()
  })

  test('one that outgrows the fleet is cut at the other node with words, and goes on here', async () => {
    const { one, other } = two(16 * 1024 + 500)
    const second = call(one, 'k')
    const work = await workOf(second)
    const third = call(other, 'k')
    await settle()
    for (let at = 0; at < 4; at += 1) work.emit(String(at).padStart(240, '0'))
    work.finish()
    await settle()
    expect([second.got.length, second.ended]).toEqual([4, 'well'])
    expect(third.ended).toMatchObject({ code: 'OVERLOADED', retryable: true, details: { option: 'maxBytes' } })
    expect(third.got.length).toBeGreaterThan(0)
  })

  test('a fleet that fails while frames are handed over costs those here nothing', async () => {
    const fleet = plainFleet()
    const port = fleet.node()
    const join = port.join.bind(port)
    const broken = async (key: string) =>
      Object.assign(await join(key), { append: () => Promise.reject(failure('UPSTREAM_UNAVAILABLE')) })
    const one = make(Object.assign(port, { join: broken }))
    const first = call(one, 'k')
    const work = await workOf(first)
    work.emit('1')
    work.emit('2')
    work.finish()
    await settle()
    expect([first.got, first.ended, one.failures, fleet.flights]).toEqual([['1', '2'], 'well', 1, 0])
  })

  test('frames are handed over one after the other, however long each takes', async () => {
    const fleet = plainFleet()
    const port = fleet.node()
    const join = port.join.bind(port)
    const delays = [30, 20, 10]
    const slow = async (key: string) => {
      const joined = await join(key)
      if (joined.role === 'listener') return joined
      const append = async (chunk: Uint8Array): Promise<void> => {
        await clock.sleep(delays.shift() ?? 0)
        await joined.append(chunk)
      }
      return { ...joined, append }
    }
    const one = make(Object.assign(port, { join: slow }))
    const first = call(one, 'k')
    const work = await workOf(first)
    const second = call(make(fleet.node()), 'k')
    await settle()
    for (const word of ['1', '2', '3']) {
      work.emit(word)
      await settle()
    }
    work.finish()
    for (let turn = 0; turn < 5; turn += 1) {
      await clock.advance(30)
      await settle()
    }
    expect([first.got, second.got, second.ended]).toEqual([['1', '2', '3'], ['1', '2', '3'], 'well'])
  })

  test('a caller that comes after the end and never reads leaves nothing on its signal', async () => {
    const one = make()
    const stored = Promise.withResolvers<void>()
    const first = call(one, 'k', { landed: () => stored.promise })
    ;(await workOf(first)).finish()
    await settle()
    const late = call(one, 'k', { pace: () => new Promise(() => {}) })
    await settle()
    expect([late.role, late.hooks]).toEqual(['listener', 0])
    stored.resolve()
    await settle()
    expect([one.underWay, clock.pending()]).toEqual([0, 0])
  })

  test('flights that are not shared are not asked', async () => {
    const port = plainFleet().node()
    const one = make({ capabilities: { shared: false, maxBytes: 1 }, join: () => expect.unreachable() })
    const first = call(one, 'k')
    ;(await workOf(first)).finish()
    await settle()
    expect([first.ended, port.weather]).toEqual(['well', 'fair'])
  })
})
