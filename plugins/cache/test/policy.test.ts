import { type Cache, type Lead, SwitchyardError } from '@switchyard/contract'
import { virtualClock } from '@switchyard/testkit'
import { describe, expect, test } from 'vitest'
import { keyOf } from './support/echo-kind.ts'
import { memoryCache, startRig } from './support/rig.ts'

const levelOf = (reply: { readonly headers: Readonly<Record<string, string>> }): string | undefined => reply.headers.level

describe('exact levels', () => {
  test('an equal call is answered from this process, and an unequal one is not', async () => {
    const { ask, asked, clock } = await startRig()
    const first = await ask('one')
    expect(first.headers['x-switchyard-cache']).toBe('miss')
    await clock.advance(5_500)
    const again = await ask('one')
    expect(again).toEqual({ text: 'ONE', headers: expect.objectContaining({ level: 'l1', age: '5' }) })
    expect((await ask('two')).text).toBe('TWO')
    expect(asked).toEqual(['one', 'two'])
  })

  test('what the process no longer holds comes from the store', async () => {
    const clock = virtualClock()
    const held = await memoryCache(clock)
    const cache = { ...held, capabilities: { ...held.capabilities, shared: true } }
    const { ask, asked } = await startRig({ clock, cache, nearBytes: 0 })
    await ask('one')
    expect(levelOf(await ask('one'))).toBe('l2')
    expect(asked).toEqual(['one'])
  })

  test('an entry is gone when its time is up', async () => {
    const { ask, asked, clock } = await startRig()
    await ask('one')
    await clock.advance(60_000)
    expect((await ask('one')).headers['x-switchyard-cache']).toBe('miss')
    expect(asked).toHaveLength(2)
  })

  test('lifetimes differ by a tenth at most', async () => {
    for (const [random, ttl] of [
      [() => 0, 54_000],
      [() => 0.999_999, 66_000],
    ] as const) {
      const { ask, asked, clock } = await startRig({ random })
      await ask('one')
      await clock.advance(ttl - 1)
      await ask('one')
      expect(asked).toHaveLength(1)
      await clock.advance(1)
      await ask('one')
      expect(asked).toHaveLength(2)
    }
  })

  test('who asks upstream is told its headers, and who comes later is not', async () => {
    const { ask } = await startRig({ headers: { 'x-request-cost': '1' } })
    expect((await ask('one')).headers).toEqual({ 'x-request-cost': '1', 'x-switchyard-cache': 'miss' })
    expect((await ask('one')).headers).not.toHaveProperty('x-request-cost')
  })

  test('another tenant is asked for itself', async () => {
    const { ask, asked } = await startRig()
    await ask('one')
    await ask('one', { tenant: 'other' })
    expect(asked).toEqual(['one', 'one'])
  })

  test('what its kind does not keep, and what broke off, is not stored', async () => {
    const answers: Record<string, string> = { a: '!no', b: 'broken' }
    const { ask, asked } = await startRig({ answers: (text) => answers[text] as string })
    await ask('a')
    await ask('a')
    await expect(ask('b')).rejects.toThrow()
    await expect(ask('b')).rejects.toThrow()
    expect(asked).toEqual(['a', 'a', 'b', 'b'])
  })

  test.each([
    [false, 2],
    [true, 1],
  ])('a fallback’s reply is stored only where that is wanted: %s', async (storeFallbacks, times) => {
    const rig = await startRig({
      storeFallbacks,
      answers(text, call) {
        call.trace.decide('resilience', 'fallback')
        return text
      },
    })
    await rig.ask('one')
    await rig.ask('one')
    expect(rig.asked).toHaveLength(times)
  })

  test('an error of upstream is the caller’s, and nothing is stored', async () => {
    let fails = true
    const { ask } = await startRig({
      answers() {
        if (fails) throw new SwitchyardError('UPSTREAM_UNAVAILABLE', 'away')
        return 'there'
      },
    })
    await expect(ask('one')).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' })
    fails = false
    expect((await ask('one')).text).toBe('there')
  })
})

describe('what callers wish', () => {
  test('no-cache asks anew, shares nothing, and its answer is kept for the others', async () => {
    let times = 0
    const { ask } = await startRig({ answers: () => `${++times}` })
    await ask('one')
    const both = await Promise.all([ask('one', { plan: { wish: 'no-cache' } }), ask('one', { plan: { wish: 'no-cache' } })])
    expect(both.map(({ text }) => text).sort()).toEqual(['2', '3'])
    expect(['2', '3']).toContain((await ask('one')).text)
    expect(times).toBe(3)
  })

  test('only-if-cached never goes upstream', async () => {
    const { ask, asked } = await startRig()
    await expect(ask('one', { plan: { wish: 'only-if-cached' } })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(asked).toEqual([])
    await ask('one')
    expect((await ask('one', { plan: { wish: 'only-if-cached' } })).text).toBe('ONE')
  })

  test('only-if-cached of what never is stored says why', async () => {
    const { ask, asked } = await startRig()
    const plan = { bypass: 'tools', wish: 'only-if-cached' } as const
    await expect(ask('one', { plan })).rejects.toMatchObject({ code: 'NOT_FOUND', message: expect.stringContaining('tools') })
    expect(asked).toEqual([])
  })

  test('an older reply than will do is not served, at either level', async () => {
    for (const nearBytes of [0, 1_000_000]) {
      const { ask, asked, clock } = await startRig({ nearBytes })
      await ask('one')
      await clock.advance(1_000)
      await ask('one', { plan: { maxAgeMs: 1_000 } })
      expect(asked).toHaveLength(1)
      await clock.advance(1)
      await ask('one', { plan: { maxAgeMs: 1_000 } })
      expect(asked).toHaveLength(2)
    }
  })

  test('a call of Switchyard’s own is passed by, and not counted', async () => {
    const { ask, counts } = await startRig()
    await ask('one', { plan: { bypass: 'own-call' } })
    expect(counts()).toMatchObject({ requests: 0, bypasses: {} })
  })

  test('a bypass goes upstream each time, with its reason', async () => {
    const { ask, asked, counts } = await startRig()
    const reply = await ask('one', { plan: { bypass: 'tools' } })
    await ask('one', { plan: { bypass: 'tools' } })
    expect(reply.headers).toEqual({ 'x-switchyard-cache': 'bypass', 'x-switchyard-cache-reason': 'tools' })
    expect(asked).toHaveLength(2)
    expect(counts()).toMatchObject({ requests: 2, bypasses: { tools: 2 } })
  })
})

describe('calls under way', () => {
  test('of equal ones a single call goes upstream', async () => {
    let land = (_text: string): void => {}
    const { ask, asked, counts } = await startRig({ answers: () => new Promise<string>((resolve) => (land = resolve)) })
    const all = Array.from({ length: 50 }, () => ask('one'))
    await new Promise(setImmediate)
    land('landed')
    const replies = await Promise.all(all)
    expect(asked).toEqual(['one'])
    expect(replies.map(({ text }) => text)).toEqual(Array.from({ length: 50 }, () => 'landed'))
    expect(replies.filter((reply) => levelOf(reply) === 'coalesced')).toHaveLength(49)
    expect(counts().outcomes).toMatchObject({ miss: 1, coalesced: 49 })
  })

  test('those who come behind the first do not ask the store', async () => {
    const clock = virtualClock()
    const held = await memoryCache(clock)
    let gets = 0
    const cache: Cache = {
      ...held,
      get(...all) {
        gets += 1
        return held.get(...all)
      },
    }
    let land = (_text: string): void => {}
    const { ask } = await startRig({ clock, cache, answers: () => new Promise<string>((resolve) => (land = resolve)) })
    const first = ask('one')
    await new Promise(setImmediate)
    const asked = gets
    const others = Array.from({ length: 20 }, () => ask('one'))
    await new Promise(setImmediate)
    expect(gets).toBe(asked)
    land('landed')
    expect((await Promise.all([first, ...others])).map(({ text }) => text)).toEqual(Array.from({ length: 21 }, () => 'landed'))
  })

  test.each([
    [true, 1],
    [false, 2],
    [undefined, 2],
  ])('who leads looks into the store once more, unless nothing can have come meanwhile: %s', async (isFirst, looks) => {
    const clock = virtualClock()
    const held = await memoryCache(clock)
    let gets = 0
    const cache: Cache = {
      ...held,
      capabilities: { ...held.capabilities, shared: true },
      get(...all) {
        gets += 1
        return held.get(...all)
      },
    }
    const lead: Lead = {
      role: 'leader',
      ...(isFirst !== undefined && { isFirst }),
      signal: new AbortController().signal,
      append: async () => {},
      complete: async () => {},
      abandon: async () => {},
      listeners: async () => 0,
    }
    const flights = { capabilities: { shared: true, maxBytes: 1_000_000 }, join: async () => lead }
    const { ask } = await startRig({ clock, cache, flights })
    expect((await ask('one')).text).toBe('ONE')
    expect(gets).toBe(looks)
  })

  test.each([
    [false, 'l1'],
    [true, 'l2'],
  ])(
    'what landed between the look-up and the lead is served, whether or not the store is shared: %s',
    async (shared, level) => {
      const clock = virtualClock()
      const held = await memoryCache(clock)
      let isEarly = false
      const cache: Cache = {
        ...held,
        capabilities: { ...held.capabilities, shared },
        async get(...all) {
          if (!isEarly) return held.get(...all)
          isEarly = false
          return undefined
        },
      }
      const { ask, asked } = await startRig({ clock, cache, nearBytes: 0 })
      await ask('one')
      isEarly = true
      expect(levelOf(await ask('one'))).toBe(level)
      expect(asked).toEqual(['one'])
    },
  )

  test('what is stale by then is not served in the place of an answer', async () => {
    const clock = virtualClock()
    const held = await memoryCache(clock)
    let isEarly = false
    const cache: Cache = {
      ...held,
      async get(...all) {
        if (!isEarly) return held.get(...all)
        isEarly = false
        return undefined
      },
    }
    const { ask, asked } = await startRig({ clock, cache, nearBytes: 0 })
    const plan = { staleMs: 30_000 }
    await ask('one', { plan })
    await clock.advance(60_000)
    isEarly = true
    expect((await ask('one', { plan })).headers['x-switchyard-cache']).toBe('miss')
    expect(asked).toEqual(['one', 'one'])
  })

  test('who asks after an invalidation joins no call that began before it', async () => {
    const lands: ((text: string) => void)[] = []
    const { ask, asked, cache } = await startRig({ answers: () => new Promise<string>((resolve) => lands.push(resolve)) })
    const before = ask('one')
    await new Promise(setImmediate)
    await cache.deleteByTag('*')
    const after = ask('one')
    await new Promise(setImmediate)
    expect(asked).toHaveLength(2)
    lands[0]?.('old')
    lands[1]?.('new')
    expect((await before).text).toBe('old')
    expect((await after).text).toBe('new')
    expect((await ask('one')).text).toBe('new')
    expect(asked).toHaveLength(2)
  })

  test('the first caller’s leaving takes nothing from the others', async () => {
    let land = (_text: string): void => {}
    const { ask, asked } = await startRig({ answers: () => new Promise<string>((resolve) => (land = resolve)) })
    const leaving = new AbortController()
    const first = ask('one', { signal: leaving.signal })
    const second = ask('one')
    await new Promise(setImmediate)
    leaving.abort(new SwitchyardError('ABORTED', 'left'))
    await expect(first).rejects.toMatchObject({ code: 'ABORTED' })
    land('landed')
    expect((await second).text).toBe('landed')
    expect(asked).toHaveLength(1)
  })
})

describe('invalidation', () => {
  test('nothing is served from before it, whatever names it', async () => {
    for (const what of [{ tenant: 'acme' }, { tenant: 'acme', tags: ['doc'] }, { everything: true as const }]) {
      for (const nearBytes of [0, 1_000_000]) {
        const { ask, asked, admin, emitted } = await startRig({ nearBytes })
        await ask('one')
        await ask('two')
        const done = await admin.invalidate(what, { by: 'op' })
        expect(done).toMatchObject({ count: 2, exact: true, dryRun: false })
        expect(emitted).toEqual([{ event: 'cache:invalidated', payload: expect.objectContaining({ by: 'op', count: 2 }) }])
        await ask('one')
        expect(asked).toEqual(['one', 'two', 'one'])
      }
    }
  })

  test('a dry run counts and changes nothing', async () => {
    const { ask, asked, admin, emitted } = await startRig()
    await ask('one')
    expect(await admin.invalidate({ tenant: 'acme' }, { by: 'op', dryRun: true })).toMatchObject({ count: 1, dryRun: true })
    await ask('one')
    expect(asked).toHaveLength(1)
    expect(emitted).toEqual([])
  })

  test('one tenant’s leaves another’s, also where its name is built to meet it', async () => {
    const { ask, asked, admin } = await startRig()
    await ask('one', { tenant: 'b' })
    await admin.invalidate({ tenant: 'a', tags: ['x:t1:b'] }, { by: 'op' })
    await admin.invalidate({ tenant: 'a1:b' }, { by: 'op' })
    await ask('one', { tenant: 'b' })
    expect(asked).toHaveLength(1)
  })

  test.each([
    [{}, 'tenant'],
    [{ tenant: '' }, 'tenant'],
    [{ tenant: 'a', target: 'b' }, 'tenant'],
    [{ tenant: 'a', tables: ['b'] }, 'tables'],
    [{ tenant: 'a', tags: [] }, 'tags'],
    [{ tenant: 'a', tags: Array.from({ length: 101 }, (_, at) => `${at}`) }, 'tags'],
    [{ target: '' }, 'target'],
  ])('%j names nothing that can be invalidated', async (what, param) => {
    const { admin } = await startRig()
    await expect(admin.invalidate(what, { by: 'op' })).rejects.toMatchObject({ code: 'INVALID_REQUEST', details: { param } })
  })

  test('an answer that a caller calls wrong is gone, for its tenant alone', async () => {
    const { ask, asked, admin, emitted } = await startRig()
    await ask('one')
    await ask('one', { id: 'mine' })
    expect(await admin.reject('other', 'mine')).toBe(false)
    expect(await admin.reject('acme', 'unknown')).toBe(false)
    expect(await admin.reject('acme', 'mine')).toBe(true)
    expect(await admin.reject('acme', 'mine')).toBe(false)
    expect(emitted).toEqual([{ event: 'cache:rejected', payload: { tenant: 'acme', requestId: 'mine', level: 'l1' } }])
    await ask('one')
    expect(asked).toHaveLength(2)
  })

  test('a tenant that names its calls as another does keeps nobody from calling answers wrong', async () => {
    const { ask, admin } = await startRig()
    for (const tenant of ['evil', 'acme']) {
      await ask('one', { tenant })
      await ask('one', { tenant, id: 'same' })
    }
    expect(await admin.reject('acme', 'same')).toBe(true)
    expect(await admin.reject('acme', 'same')).toBe(false)
    expect(await admin.reject('evil', 'same')).toBe(true)
  })
})

test('a rejection that the store did not take can be tried again', async () => {
  const clock = virtualClock()
  const held = await memoryCache(clock)
  let away = true
  const cache: Cache = {
    ...held,
    delete: (...all) => (away ? Promise.reject(new SwitchyardError('UPSTREAM_UNAVAILABLE', 'away')) : held.delete(...all)),
  }
  const { ask, asked, admin } = await startRig({ clock, cache })
  await ask('one')
  await ask('one', { id: 'mine' })
  await expect(admin.reject('acme', 'mine')).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' })
  away = false
  expect(await admin.reject('acme', 'mine')).toBe(true)
  await ask('one')
  expect(asked).toHaveLength(2)
})

describe('stale while it is fetched anew', () => {
  test('the old reply is served once more for each caller, and one call fetches the new one', async () => {
    let version = 0
    const rig = await startRig({ answers: () => `v${++version}` })
    const plan = { staleMs: 30_000 }
    await rig.ask('one', { plan })
    await rig.clock.advance(60_000)
    const replies = await Promise.all([rig.ask('one', { plan }), rig.ask('one', { plan })])
    expect(replies.map(({ text, headers }) => [text, headers.level])).toEqual([
      ['v1', 'stale'],
      ['v1', 'stale'],
    ])
    expect(rig.admin.report().ownCalls).toMatchObject({ made: 1, dropped: 0 })
    await rig.clock.advance(0)
    expect(rig.purposes).toEqual([undefined, 'refresh'])
    expect((await rig.ask('one', { plan })).text).toBe('v2')
    rig.close()
  })

  test('where it cannot be fetched the old one serves until it is gone', async () => {
    let fails = false
    const rig = await startRig({
      answers() {
        if (fails) throw new SwitchyardError('UPSTREAM_UNAVAILABLE', 'away')
        return 'old'
      },
    })
    const plan = { staleMs: 30_000 }
    await rig.ask('one', { plan })
    fails = true
    await rig.clock.advance(60_000)
    expect((await rig.ask('one', { plan })).text).toBe('old')
    await rig.clock.advance(30_000)
    await expect(rig.ask('one', { plan })).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' })
  })

  test('a reply that took long is fetched ahead of its expiry', async () => {
    const clock = virtualClock()
    const slow = (): Promise<string> => new Promise((resolve) => clock.schedule(1_000, () => resolve('slow')))
    const rig = await startRig({ clock, answers: slow, random: () => 0.9 })
    const first = rig.ask('one')
    await clock.advance(1_000)
    await first
    await clock.advance(60_000 * 1.08 - 2_000)
    expect((await rig.ask('one')).headers.level).toBe('l1')
    await clock.advance(1_000)
    expect(rig.purposes).toEqual([undefined, 'refresh'])
    rig.close()
  })
})

describe('the store fails', () => {
  const failing = (cache: Cache, how: () => Promise<never>): Cache => ({
    ...cache,
    get: how,
    set: how,
    deleteByTag: how,
    capabilities: { ...cache.capabilities, shared: true },
  })

  test('calls go upstream, and what this process holds still serves', async () => {
    const clock = virtualClock()
    const held = await memoryCache(clock)
    let away = false
    const store: Cache = {
      ...held,
      capabilities: { ...held.capabilities, shared: true },
      get: (...all) => (away ? Promise.reject(new SwitchyardError('UPSTREAM_UNAVAILABLE', 'away')) : held.get(...all)),
      set: (...all) => (away ? Promise.reject(new SwitchyardError('UPSTREAM_UNAVAILABLE', 'away')) : held.set(...all)),
    }
    const { ask, asked, admin } = await startRig({ clock, cache: store })
    await ask('one')
    away = true
    expect(levelOf(await ask('one'))).toBe('l1')
    expect((await ask('two')).text).toBe('TWO')
    expect(asked).toEqual(['one', 'two'])
    expect(admin.report().store.failedLookups).toBeGreaterThan(0)
    expect(admin.report().store.failedWrites).toBe(1)
  })

  test('a store that hangs delays a call by its time limit, and is soon asked no more', async () => {
    const clock = virtualClock()
    const held = await memoryCache(clock)
    let gets = 0
    const hanging: Cache = {
      ...held,
      capabilities: { ...held.capabilities, shared: true },
      get() {
        gets += 1
        return new Promise(() => {})
      },
    }
    const rig = await startRig({ clock, cache: hanging })
    for (let at = 0; at < 8; at += 1) {
      const reply = rig.ask(`call ${at}`)
      await clock.advance(25)
      expect((await reply).text).toBe(`CALL ${at}`)
    }
    expect(rig.admin.report().store.isAway).toBe(true)
    const asked = gets
    await rig.ask('at once')
    expect(gets).toBe(asked)
    await clock.advance(250)
    const probe = rig.ask('probe')
    await clock.advance(25)
    await probe
    expect(gets).toBe(asked + 1)
  })

  test('a deletion that fails rejects for the operator', async () => {
    const clock = virtualClock()
    const rig = await startRig({
      clock,
      cache: failing(await memoryCache(clock), () => Promise.reject(new SwitchyardError('UPSTREAM_UNAVAILABLE', 'away'))),
    })
    await expect(rig.admin.invalidate({ tenant: 'acme' }, { by: 'op' })).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' })
  })

  test('an entry that cannot be read is a miss, and goes', async () => {
    const rig = await startRig({ nearBytes: 0 })
    await rig.ask('two')
    for (const value of [new Uint8Array(0), Uint8Array.of(9, 9, 9), Uint8Array.of(1, 0, 0, 0, 2, 123, 125, 0)]) {
      await rig.cache.set(keyOf('acme', 'two'), { value })
      expect((await rig.ask('two')).headers['x-switchyard-cache']).toBe('miss')
      expect(levelOf(await rig.ask('two'))).toBe('l1')
    }
    expect(rig.admin.report().store.malformed).toBeGreaterThanOrEqual(3)
  })
})

describe('calls that write', () => {
  const writes = { writes: ['s:orders'] }
  const reading = { tags: ['*', 's:orders'] }

  test('what was read before is asked anew, also where the write failed', async () => {
    let version = 1
    const rig = await startRig({
      answers(text) {
        if (text === 'read') return `v${version}`
        version += 1
        if (text === 'write and fail') throw new SwitchyardError('TIMEOUT', 'nobody knows')
        return 'done'
      },
    })
    expect((await rig.ask('read', { plan: reading })).text).toBe('v1')
    await rig.ask('write', { plan: writes })
    expect((await rig.ask('read', { plan: reading })).text).toBe('v2')
    await expect(rig.ask('write and fail', { plan: writes })).rejects.toMatchObject({ code: 'TIMEOUT' })
    expect((await rig.ask('read', { plan: reading })).text).toBe('v3')
  })

  test('what was read while it ran is not kept', async () => {
    let commit = (_: string): void => {}
    let version = 1
    const rig = await startRig({
      answers(text) {
        if (text === 'read') return `v${version}`
        return new Promise<string>((resolve) => {
          commit = (said) => {
            version = 2
            resolve(said)
          }
        })
      },
    })
    const writing = rig.ask('write', { plan: writes })
    await new Promise(setImmediate)
    expect((await rig.ask('read', { plan: reading })).text).toBe('v1')
    commit('done')
    await writing
    expect((await rig.ask('read', { plan: reading })).text).toBe('v2')
  })

  test('while the store takes no deletion, what was written to is passed by here, and later it is made good', async () => {
    const clock = virtualClock()
    const held = await memoryCache(clock)
    let away = false
    const store: Cache = {
      ...held,
      deleteByTag: (...all) =>
        away ? Promise.reject(new SwitchyardError('UPSTREAM_UNAVAILABLE', 'away')) : held.deleteByTag(...all),
    }
    let version = 1
    const rig = await startRig({ clock, cache: store, answers: (text) => (text === 'read' ? `v${version}` : `${++version}`) })
    await rig.ask('read', { plan: reading })
    away = true
    await rig.ask('write', { plan: writes })
    const behind = await rig.ask('read', { plan: reading })
    expect(behind).toEqual({
      text: 'v2',
      headers: { 'x-switchyard-cache': 'bypass', 'x-switchyard-cache-reason': 'store-behind' },
    })
    expect(rig.admin.report().store.owedDeletions).toBe(1)
    away = false
    await clock.advance(1_000)
    expect(rig.admin.report().store.owedDeletions).toBe(0)
    expect((await rig.ask('read', { plan: reading })).headers['x-switchyard-cache']).toBe('miss')
    expect((await rig.ask('read', { plan: reading })).text).toBe('v2')
    rig.close()
    expect(clock.pending()).toBe(0)
  })

  test('a write that was given up may still happen: what it may change is deleted once more', async () => {
    let version = 1
    const rig = await startRig({
      answers(text) {
        if (text === 'read') return `v${version}`
        throw new SwitchyardError('TIMEOUT', 'nobody knows')
      },
    })
    await expect(rig.ask('write', { plan: writes })).rejects.toMatchObject({ code: 'TIMEOUT' })
    expect((await rig.ask('read', { plan: reading })).text).toBe('v1')
    version = 2
    await rig.clock.advance(4_999)
    expect((await rig.ask('read', { plan: reading })).text).toBe('v1')
    await rig.clock.advance(1)
    expect((await rig.ask('read', { plan: reading })).text).toBe('v2')
    expect(rig.clock.pending()).toBe(0)
  })

  test('a store that hangs delays a write by its time limit twice', async () => {
    const clock = virtualClock()
    const held = await memoryCache(clock)
    const cache: Cache = {
      ...held,
      deleteByTag: (_tag, options) =>
        new Promise((_resolve, reject) => options?.signal?.addEventListener('abort', () => reject(options.signal?.reason))),
    }
    const rig = await startRig({ clock, cache })
    const writing = rig.ask('write', { plan: writes })
    await clock.advance(1_000)
    await clock.advance(1_000)
    expect((await writing).text).toBe('WRITE')
    rig.close()
    // A deletion under way ends by its own limit, and none follows.
    await clock.advance(1_000)
    expect(clock.pending()).toBe(0)
  })

  test('a strict read is left alone where the store tells no moments', async () => {
    const { mark: _mark, ...cache } = await memoryCache(virtualClock())
    const rig = await startRig({ cache })
    for (const _ of [1, 2]) {
      const reply = await rig.ask('read', { plan: { ...reading, strict: true } })
      expect(reply.headers['x-switchyard-cache-reason']).toBe('store-unfit')
    }
    await rig.ask('read', { plan: reading })
    expect((await rig.ask('read', { plan: reading })).headers.level).toBe('l1')
  })
})

describe('counts', () => {
  test('the repeat ceiling stands beside the hits', async () => {
    const rig = await startRig()
    for (let at = 0; at < 100; at += 1) await rig.ask(`text ${at % 20}`)
    expect(rig.counts()).toMatchObject({ requests: 100, distinct: 20, repeatCeiling: 0.8, outcomes: { l1: 80, miss: 20 } })
    expect(rig.admin.report()).toMatchObject({ near: { entries: 20 }, underWay: 0 })
  })

  test('many different ones are estimated', async () => {
    const rig = await startRig({ nearBytes: 0 })
    for (let at = 0; at < 5_000; at += 1) await rig.ask(`${Math.imul(at, 0x9e3779b1) >>> 0} ${at}`, { plan: { ttlMs: 1 } })
    const { distinct } = rig.counts()
    expect(Math.abs(distinct - 5_000) / 5_000).toBeLessThan(0.15)
  })
})

test('explain tells what would be, and changes nothing', async () => {
  const rig = await startRig()
  expect(await rig.explain('one')).toMatchObject([{ decision: 'would-miss', because: { kind: 'echo', ttlMs: 60_000 } }])
  await rig.ask('one')
  expect(await rig.explain('one')).toMatchObject([{ decision: 'would-hit', because: { level: 'l1' } }])
  expect(await rig.explain('one', { bypass: 'tools' })).toEqual([{ decision: 'bypass', because: { reason: 'tools' } }])
  expect(await rig.explain('one', { writes: ['s:x'] })).toEqual([{ decision: 'writes', because: { tags: 1 } }])
  expect(rig.asked).toHaveLength(1)
  expect(rig.counts().requests).toBe(1)
})
