import { createHmac } from 'node:crypto'
import type { JWTPayload } from 'jose'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { principalOf } from '../src/claims.ts'
import type { AccessInput } from '../src/index.ts'
import type { JwtOptions } from '../src/options.ts'
import { startIssuer, type TestIssuer } from './support/issuer.ts'
import { type Node, startNode } from './support/node.ts'

type Rules = NonNullable<AccessInput['jwt']>[number]

let issuer: TestIssuer
let node: Node

const rules = (more: Partial<Rules> = {}): Rules => ({
  issuer: 'https://id.example',
  audience: 'switchyard',
  jwksUrl: issuer.url,
  tenant: { claim: 'org' },
  models: ['openai/*'],
  endpoints: 'any',
  egress: { allow: ['127.0.0.0/8'], http: true },
  ...more,
})
const start = (more: Partial<Rules> = {}): Promise<Node> => startNode({ options: { jwt: [rules(more)] } })
/** Good, but for what is given. */
const claims = (more: Readonly<Record<string, unknown>> = {}): JWTPayload => {
  const now = Math.floor(node.clock.now() / 1_000)
  return { iss: 'https://id.example', aud: 'switchyard', sub: 'ada', org: 'acme', nbf: now, exp: now + 300, ...more }
}
const why = (): unknown => node.emitted('login:failed').at(-1)?.why
const UNAUTHENTICATED = expect.objectContaining({ code: 'UNAUTHENTICATED' })
const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

beforeEach(async () => {
  issuer = await startIssuer()
  node = await start()
})
afterEach(async () => {
  await node.plugin.close()
  await issuer.close()
})

describe('a token is refused', () => {
  test.each<[string, () => JWTPayload]>([
    ['of another issuer', () => claims({ iss: 'https://evil.example' })],
    ['without an issuer', () => claims({ iss: undefined })],
    ['for another audience', () => claims({ aud: 'other' })],
    ['without an audience', () => claims({ aud: undefined })],
    ['that has expired', () => claims({ exp: node.clock.now() / 1_000 - 31 })],
    ['without an end', () => claims({ exp: undefined })],
    ['that is not good yet', () => claims({ nbf: node.clock.now() / 1_000 + 32 })],
    ['without a beginning', () => claims({ nbf: undefined })],
    ['without a tenant', () => claims({ org: undefined })],
    ['with an empty tenant', () => claims({ org: ' ' })],
    ['with a tenant that is no text', () => claims({ org: ['acme'] })],
    ['with a tenant that is too long', () => claims({ org: 'x'.repeat(201) })],
    ['without a subject', () => claims({ sub: undefined })],
  ])('%s', async (_, payload) => {
    await expect(node.ask(await issuer.token(payload()))).rejects.toThrow(UNAUTHENTICATED)
    expect(why()).toBe('bad-token')
  })

  test('without a signature, or with one by a shared secret', async () => {
    const none = `${encoded({ alg: 'none' })}.${encoded(claims())}.`
    const head = `${encoded({ alg: 'HS256', kid: 'first' })}.${encoded(claims())}`
    const hs = `${head}.${createHmac('sha256', 'secret').update(head).digest('base64url')}`
    for (const text of [none, hs]) await expect(node.ask(text)).rejects.toThrow(UNAUTHENTICATED)
  })

  test('of an algorithm that is not listed', async () => {
    const strict = await start({ algorithms: ['RS256'] })
    await expect(strict.ask(await issuer.token(claims()))).rejects.toThrow(UNAUTHENTICATED)
    await strict.plugin.close()
  })

  test('that was changed', async () => {
    const [head, , signature] = (await issuer.token(claims())).split('.')
    await expect(node.ask(`${head}.${encoded(claims({ org: 'other' }))}.${signature}`)).rejects.toThrow(UNAUTHENTICATED)
  })

  test('that is no token at all, or in another header', async () => {
    for (const text of ['eyJ..', 'eyJ.x.y', 'eyJhbGciOiJFUzI1NiJ9.e30.x.y', `eyJ${'x'.repeat(9_000)}.e30.x`])
      await expect(node.ask(text)).rejects.toThrow(UNAUTHENTICATED)
    const token = await issuer.token(claims())
    expect(() => node.access.authenticate({ 'api-key': token })).toThrow(UNAUTHENTICATED)
  })

  test.each([
    ['an error', { status: 500, body: '' }],
    ['no JSON', { status: 200, body: '<html>' }],
    ['no key set', { status: 200, body: '{"keys": 1}' }],
    ['too many keys', { status: 200, body: JSON.stringify({ keys: Array.from({ length: 101 }, () => ({ kty: 'EC' })) }) }],
    ['a body without end', { status: 200, body: ' '.repeat(300_000) }],
  ])('where the key set is %s: no call, and it may be tried again', async (_, reply) => {
    issuer.reply = reply
    const token = await issuer.token(claims())
    await expect(node.ask(token)).rejects.toMatchObject({ code: 'UNAUTHENTICATED', retryable: true })
    expect(why()).toBe('fault')
    // Whoever names the issuer does not make us ask it again at once.
    const { fetches } = issuer
    for (let at = 0; at < 5; at++) await expect(node.ask(token)).rejects.toMatchObject({ retryable: true })
    expect(issuer.fetches).toBe(fetches)
    issuer.reply = undefined
    await node.clock.advance(1_000)
    await node.ask(token)
  })

  test('where the guard lets nobody reach the key set', async () => {
    const guarded = await start({ egress: {} })
    await expect(guarded.ask(await issuer.token(claims()))).rejects.toThrow(UNAUTHENTICATED)
    expect(issuer.fetches).toBe(0)
    await guarded.plugin.close()
  })
})

test('a good token is a principal by rule, answered at once for a minute, within the skew of the clocks', async () => {
  const token = await issuer.token(claims({ exp: node.clock.now() / 1_000 + 10, groups: ['staff'] }))
  expect(await node.ask(token)).toEqual({
    principal: {
      tenant: 'acme',
      keyId: 'jwt:https://id.example:ada',
      user: 'ada',
      roles: [],
      scopes: { models: ['openai/*'], endpoints: ['*'] },
    },
    carrier: 'authorization',
    class: 'jwt',
  })
  await node.clock.advance(39_000)
  expect(node.access.authenticate({ authorization: `Bearer ${token}` })).not.toBeInstanceOf(Promise)
  await node.clock.advance(1_000)
  await expect(node.ask(token)).rejects.toThrow(UNAUTHENTICATED)
  expect(why()).toBe('expired')
})

test('team and roles come by rule only, also from claims within claims', async () => {
  const mapped = await start({
    team: { value: 'staff' },
    tenant: { claim: 'https://claims.example/org' },
    notBefore: 'optional',
    roles: { claim: 'realm.roles', map: { boss: ['admin'], reader: ['viewer'] } },
  })
  const payload = { ...claims({ nbf: undefined }), 'https://claims.example/org': 'acme', roles: ['admin'] }
  const ask = async (realm: unknown) => (await mapped.ask(await issuer.token({ ...payload, realm }))).principal
  expect(await ask({ roles: ['boss', 'constructor', 7, 'reader', 'boss'] })).toMatchObject({
    team: 'staff',
    roles: ['admin', 'viewer'],
  })
  expect(await ask({ roles: 'reader' })).toMatchObject({ roles: ['viewer'] })
  expect(await ask(undefined)).toMatchObject({ roles: [] })
  const { principal } = await mapped.ask(await issuer.token(payload))
  expect(principal).not.toBe(undefined)
  await mapped.plugin.close()
})

test('keys are fetched once, anew for one that is not known, but not for every stranger', async () => {
  await node.ask(await issuer.token(claims()))
  await node.ask(await issuer.token(claims({ sub: 'bob' })))
  expect(issuer.fetches).toBe(1)
  await issuer.newKey('second')
  await expect(node.ask(await issuer.token(claims()))).rejects.toThrow(UNAUTHENTICATED)
  expect(issuer.fetches).toBe(1)
  await node.clock.advance(30_000)
  await node.ask(await issuer.token(claims()))
  await issuer.newKey('hidden', { publish: false })
  for (let at = 0; at < 5; at++)
    await expect(node.ask(await issuer.token(claims({ sub: `s${at}` })))).rejects.toThrow(UNAUTHENTICATED)
  expect(issuer.fetches).toBe(2)
})

test('of several tokens by a key that is new, all wait for the fetch that the first began', async () => {
  await node.ask(await issuer.token(claims()))
  await issuer.newKey('second')
  await node.clock.advance(30_000)
  const tokens = await Promise.all(['a', 'b', 'c'].map((sub) => issuer.token(claims({ sub }))))
  await Promise.all(tokens.map((token) => node.ask(token)))
  expect(issuer.fetches).toBe(2)
})

test('no issuer can name the people of another whose name goes on from its own', () => {
  const rules = (name: string) => ({ issuer: name, tenant: { value: 't' }, user: { claim: 'sub' } }) as unknown as JwtOptions
  const long = principalOf({ sub: 'ada' }, rules('https://id.example:8443'))
  const short = principalOf({ sub: '8443:ada' }, rules('https://id.example'))
  const escaped = principalOf({ sub: '8443%3Aada' }, rules('https://id.example'))
  expect(new Set([long, short, escaped].map((one) => one?.keyId)).size).toBe(3)
})

test('a set serves through an outage of its issuer until its time is over', async () => {
  await node.ask(await issuer.token(claims()))
  issuer.reply = { status: 500, body: '' }
  await node.clock.advance(400_000)
  await node.ask(await issuer.token(claims()))
  await expect.poll(() => issuer.fetches).toBe(2)
  await node.clock.advance(200_000)
  await expect(node.ask(await issuer.token(claims()))).rejects.toMatchObject({ retryable: true })
})

test('without a database no keys are kept, and a key that looks like one of ours is none', async () => {
  await expect(node.keys.list()).rejects.toMatchObject({ code: 'UNSUPPORTED' })
  expect(node.access.configured()).toBe(true)
  expect(() => node.access.authenticate({ authorization: 'Bearer sk-sy-x' })).toThrow(UNAUTHENTICATED)
})
