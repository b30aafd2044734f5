import { type Access, secret } from '@switchyard/contract'
import { describe, expect, test } from 'vitest'
import { type Authenticated, authenticator, keyNeeded, mayCall } from '../src/principal.ts'

const KEYS = [
  { key: secret('sk-one'), tenant: 'acme', id: 'one', team: 'search', roles: ['admin'] },
  { key: secret('sk-two'), tenant: 'other' },
]
const KEPT = Object.freeze({ tenant: 'kept', keyId: 'k1', roles: [] })

/** Knows `sk-kept` at once, and `sk-later` after a while. */
function keeping(configured: boolean): Access {
  return {
    configured: () => configured,
    authenticate({ authorization }) {
      const identity = { principal: KEPT, carrier: 'authorization', class: 'virtual' } as const
      if (authorization === 'Bearer sk-kept') return identity
      if (authorization === 'Bearer sk-later') return Promise.resolve(identity)
      throw Object.assign(new Error('not kept'), { code: 'UNAUTHENTICATED' })
    },
  }
}

describe('with keys of the configuration', () => {
  const authenticate = authenticator({ keys: KEYS, local: true })

  test.each([
    ['authorization', 'Bearer sk-one'],
    ['x-portkey-api-key', 'sk-one'],
    ['api-key', 'sk-one'],
    ['x-api-key', 'sk-one'],
  ])('%s names the principal and goes no further', (name, value) => {
    expect(authenticate({ [name]: value, 'x-other': 'kept' })).toEqual({
      principal: { tenant: 'acme', keyId: 'one', team: 'search', roles: ['admin'] },
      class: 'configured',
      headers: { 'x-other': 'kept' },
    })
  })

  test("a provider's key beside ours stays", () => {
    const { principal, headers } = authenticate({
      'x-portkey-api-key': 'sk-two',
      authorization: 'Bearer provider-key',
    }) as Authenticated
    expect(principal.tenant).toBe('other')
    expect(principal.keyId).toMatch(/^[0-9a-f]{12}$/)
    expect(headers).toEqual({ authorization: 'Bearer provider-key' })
  })

  test('our key in several headers goes on in none', () => {
    const { headers } = authenticate({
      'x-api-key': 'sk-two',
      authorization: 'Bearer sk-two',
      'api-key': 'own',
    }) as Authenticated
    expect(headers).toEqual({ 'api-key': 'own' })
  })

  test.each([
    [{}, /no API key/],
    [{ authorization: 'Bearer wrong' }, /incorrect API key/],
  ])('%j is refused', (headers, message) => {
    expect(() => authenticate(headers)).toThrow(
      expect.objectContaining({ code: 'UNAUTHENTICATED', message: expect.stringMatching(message) }),
    )
  })
})

describe('with keys that are kept', () => {
  test('those of the configuration go on being taken, and the others are asked for', async () => {
    const authenticate = authenticator({ keys: KEYS, access: keeping(false), local: true })
    expect(authenticate({ authorization: 'Bearer sk-one' })).toMatchObject({ class: 'configured' })
    const kept = { principal: KEPT, class: 'virtual', headers: { 'x-other': 'kept' } }
    expect(authenticate({ authorization: 'Bearer sk-kept', 'x-other': 'kept' })).toEqual(kept)
    const later = authenticate({ authorization: 'Bearer sk-later', 'x-other': 'kept' })
    expect(later).toBeInstanceOf(Promise)
    expect(await later).toEqual(kept)
    expect(() => authenticate({ authorization: 'Bearer wrong' })).toThrow('not kept')
  })

  test('the first one ends that everyone on this machine may call', () => {
    const open = authenticator({ keys: [], access: keeping(false), local: true })
    expect(open({ authorization: 'Bearer wrong' })).toMatchObject({ class: 'local', principal: { tenant: 'local' } })
    expect(() => authenticator({ keys: [], access: keeping(true), local: true })({})).toThrow('not kept')
  })
})

test('a key listed twice is an error that does not show it', () => {
  const twice = [1, 2].map((id) => ({ key: secret('sk-same'), tenant: 't', id: String(id) }))
  expect(() => authenticator({ keys: twice, local: true })).toThrow(/key of 2 is listed twice/)
})

test('without any key everyone is the local principal on loopback, and nobody is anyone elsewhere', () => {
  expect(authenticator({ keys: [], local: true })({ authorization: 'Bearer anything' })).toMatchObject({
    class: 'local',
    principal: { tenant: 'local', keyId: 'local' },
  })
  expect(() => authenticator({ keys: [], local: false })({ authorization: 'Bearer anything' })).toThrow(/incorrect API key/)
  expect(() => authenticator({ keys: [], access: keeping(false), local: false })({})).toThrow('not kept')
})

test.each([
  [{ keys: [], local: true }, false],
  [{ keys: [], local: true, access: keeping(false) }, false],
  [{ keys: [], local: true, access: keeping(true) }, true],
  [{ keys: KEYS, local: true }, true],
  [{ keys: [], local: false }, true],
])('whether a key is needed: %#', (parts, needed) => {
  expect(keyNeeded(parts)).toBe(needed)
})

test('an admin key calls no model', () => {
  const caller = { principal: KEPT, headers: {} }
  expect(() => mayCall({ ...caller, class: 'admin' })).toThrow(/never calls a model/)
  for (const of of ['virtual', 'jwt', 'configured', 'local'] as const) expect(mayCall({ ...caller, class: of }).class).toBe(of)
})
