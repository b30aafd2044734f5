import { secret } from '@switchyard/contract'
import { describe, expect, test } from 'vitest'
import { authenticator } from '../src/principal.ts'

describe('with keys', () => {
  const authenticate = authenticator([
    { key: secret('sk-one'), tenant: 'acme', id: 'one', team: 'search', roles: ['admin'] },
    { key: secret('sk-two'), tenant: 'other' },
  ])

  test.each([
    ['authorization', 'Bearer sk-one'],
    ['x-portkey-api-key', 'sk-one'],
    ['api-key', 'sk-one'],
    ['x-api-key', 'sk-one'],
  ])('%s names the principal and goes no further', (name, value) => {
    const { principal, headers } = authenticate({ [name]: value, 'x-other': 'kept' })
    expect(principal).toEqual({ tenant: 'acme', keyId: 'one', team: 'search', roles: ['admin'] })
    expect(headers).toEqual({ 'x-other': 'kept' })
  })

  test("a provider's key beside ours stays", () => {
    const { principal, headers } = authenticate({ 'x-portkey-api-key': 'sk-two', authorization: 'Bearer provider-key' })
    expect(principal.tenant).toBe('other')
    expect(principal.keyId).toMatch(/^[0-9a-f]{12}$/)
    expect(headers).toEqual({ authorization: 'Bearer provider-key' })
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

test('a key listed twice is an error that does not show it', () => {
  const twice = [1, 2].map((id) => ({ key: secret('sk-same'), tenant: 't', id: String(id) }))
  expect(() => authenticator(twice)).toThrow(/key of 2 is listed twice/)
})

test('without keys everyone is the local principal', () => {
  expect(authenticator([])({ authorization: 'Bearer anything' }).principal).toMatchObject({ tenant: 'local', keyId: 'local' })
})
