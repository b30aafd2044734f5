import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { sessionKeyOf } from '../../src/session/session-key.ts'
import { SessionLengths } from '../../src/session/session-lengths.ts'
import { Sessions, type SessionTarget } from '../../src/session/sessions.ts'
import { call, request } from '../support/world.ts'

const at = (deployment: string, usd: number | undefined): SessionTarget => ({
  deployment,
  prices: usd === undefined ? undefined : { input: usd * 1e6, output: usd * 5e6, read: usd * 1e5, write: usd * 1.25e6 },
})
const strong = at('strong', 10)
const mid = at('mid', 8)
const cheap = at('cheap', 0.1)
const options = { ttlMs: 1_000, maxSessions: 3, expectedTurns: 8, margin: 0.1 }
const usage = { inputTokens: 5_000, outputTokens: 200 }

function started(first: SessionTarget): Sessions {
  const sessions = new Sessions(options)
  sessions.pin('k', sessions.consider('k', [first], 5_000, false, 0), 0)
  sessions.served('k', first.deployment, usage, 0)
  return sessions
}

describe('a session', () => {
  test('goes where the strategy says at first, and stays there while leaving does not pay', () => {
    const sessions = started(strong)
    expect(sessions.warm('k', 'strong', 999)).toBe(5_200)
    expect(sessions.warm('k', 'mid', 999)).toBe(0)
    const pin = sessions.consider('k', [mid, strong], 5_500, false, 500)
    expect(pin).toMatchObject({ deployment: 'strong', why: 'kept', turn: 2 })
    expect(pin.weighed?.switching).toBeGreaterThan(pin.weighed?.staying as number)
  })

  test('leaves for what is cheaper with its cold cache and all', () => {
    const pin = started(strong).consider('k', [cheap, strong], 5_500, false, 500)
    expect(pin).toMatchObject({ deployment: 'cheap', why: 'cheaper', from: 'strong' })
  })

  test('is free again once the cache has forgotten it, and a use refreshes the time', () => {
    const sessions = started(strong)
    expect(sessions.consider('k', [mid, strong], 5_500, false, 1_000)).toMatchObject({ deployment: 'mid', why: 'idle' })
    sessions.pin('k', sessions.consider('k', [strong], 5_500, false, 900), 900)
    expect(sessions.consider('k', [mid, strong], 5_500, false, 1_800)).toMatchObject({ deployment: 'strong', why: 'kept' })
    expect(sessions.warm('k', 'strong', 1_900)).toBe(0)
  })

  test('whose target is left out goes elsewhere, and says whence', () => {
    const sessions = started(strong)
    const pin = sessions.consider('k', [mid], 5_500, false, 500)
    expect(pin).toEqual({ deployment: 'mid', why: 'unavailable', turn: 2, from: 'strong' })
    sessions.pin('k', pin, 500)
    expect(sessions.warm('k', 'mid', 501)).toBe(0)
  })

  test('goes up for quality once, and comes back only after it idled', () => {
    const sessions = started(cheap)
    const up = sessions.consider('k', [strong, cheap], 5_500, true, 100)
    expect(up).toMatchObject({ deployment: 'strong', why: 'quality', from: 'cheap' })
    sessions.pin('k', up, 100)
    sessions.served('k', 'strong', usage, 100)
    expect(sessions.consider('k', [cheap, strong], 5_600, true, 200)).toMatchObject({ deployment: 'strong', why: 'kept' })
    const idle = sessions.consider('k', [cheap, strong], 5_600, true, 1_100)
    expect(idle).toMatchObject({ deployment: 'cheap', why: 'idle' })
    sessions.pin('k', idle, 1_100)
    expect(sessions.consider('k', [strong, cheap], 5_700, true, 1_200).why).toBe('quality')
  })

  test('does not go up where the strategy ranks by money alone', () => {
    expect(started(cheap).consider('k', [strong, cheap], 5_500, false, 100).why).toBe('kept')
  })

  test('stays where a price is not known: unknown is not cheap', () => {
    expect(started(strong).consider('k', [at('new', undefined), strong], 5_500, false, 100).why).toBe('kept')
  })

  test('is where it was served in fact, after a fallback', () => {
    const sessions = started(strong)
    sessions.served('k', 'mid', usage, 100)
    expect(sessions.consider('k', [strong, mid], 5_500, false, 200)).toMatchObject({ deployment: 'mid', why: 'kept' })
  })

  test('asking changes nothing', () => {
    const sessions = started(strong)
    const once = sessions.consider('k', [cheap, strong], 5_500, true, 500)
    for (let again = 0; again < 3; again++) expect(sessions.consider('k', [cheap, strong], 5_500, true, 500)).toEqual(once)
    expect(sessions.size).toBe(1)
  })
})

test('no more sessions are kept than allowed, and the longest unused goes first', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { maxLength: 40 }), (keys) => {
      const sessions = new Sessions(options)
      keys.forEach((key, now) => void sessions.pin(key, sessions.consider(key, [strong], 10, false, now), now))
      const last = [...new Set(keys.toReversed())].slice(0, options.maxSessions)
      expect(sessions.size).toBe(last.length)
      for (const key of last) expect(sessions.consider(key, [mid, strong], 10, false, keys.length).why).not.toBe('new')
    }),
  )
})

describe('how many turns are ahead', () => {
  test('by belief at first, by sessions later, never below the present one', () => {
    const lengths = new SessionLengths(8)
    expect(lengths.ahead(1)).toBe(8)
    expect(lengths.ahead(20)).toBe(1)
    for (let index = 0; index < 500; index++) lengths.add(2)
    expect(lengths.ahead(1)).toBeLessThan(2.2)
    for (let index = 0; index < 5_000; index++) lengths.add(30)
    expect(lengths.ahead(10)).toBeGreaterThan(20)
    expect(lengths.ahead(10)).toBeLessThanOrEqual(21)
  })
})

describe('whose session it is', () => {
  const key = (body: object, headers?: Record<string, string>, principal = {}) =>
    sessionKeyOf(call('routing', { ...request('chat', body as never), ...(headers && { headers }) }, principal))
  const turn = (role: string, content: string) => ({ role, content })

  test('the header names it, then prompt_cache_key', () => {
    expect(key({ prompt_cache_key: 'p' }, { 'x-switchyard-session': 's' })).toEqual({ session: 's', key: 'acme\ns' })
    expect(key({ prompt_cache_key: 'p' }).session).toBe('p')
    expect(key({}, { 'x-switchyard-session': 'x'.repeat(300) }).session).toHaveLength(200)
  })

  test('else its beginning: later turns are of the same, another first question is not', () => {
    const first = [turn('system', 'be brief'), turn('user', 'one')]
    const a = key({ messages: first })
    expect(a.session).toMatch(/^auto-/)
    expect(key({ messages: [...first, turn('assistant', 'yes'), turn('user', 'two')] })).toEqual(a)
    expect(key({ messages: [turn('system', 'be brief'), turn('user', 'two')] })).not.toEqual(a)
    expect(key({ messages: [turn('system', 'be long'), turn('user', 'one')] })).not.toEqual(a)
    expect(key({ messages: first, tools: [{ type: 'function', function: { name: 'f' } }] })).not.toEqual(a)
    expect(key({ messages: undefined, input: 'one' }).session).not.toBe(key({ messages: undefined, input: 'two' }).session)
  })

  test('never another tenant’s', () => {
    const named = { 'x-switchyard-session': 's' }
    expect(key({}, named).key).not.toBe(key({}, named, { tenant: 'other' }).key)
    expect(key({}).session).not.toBe(key({}, undefined, { tenant: 'other' }).session)
  })

  test('marks of where to cache do not make another', () => {
    const said = (cached: object) => [{ role: 'user', content: [{ type: 'text', text: 'one', ...cached }] }]
    expect(key({ messages: said({ cache_control: { type: 'ephemeral' } }) })).toEqual(key({ messages: said({}) }))
  })
})
