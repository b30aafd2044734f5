import { access as accessPort, definePlugin, keys, model, sql } from '@switchyard/contract'
import { startKernel } from '@switchyard/kernel'
import { startPlugin } from '@switchyard/testkit'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { access } from '../src/index.ts'
import { newKeyText, readKeyText } from '../src/key-text.ts'
import { fileSql } from './support/file-sql.ts'
import { CHANGE, VIRTUAL } from './support/node.ts'

const PEPPER = 'p'.repeat(32)
const TOKEN = {
  issuer: 'i',
  audience: 'a',
  jwksUrl: 'https://id.example/jwks',
  tenant: { claim: 't' },
  models: 'any',
  endpoints: 'any',
}

describe('options', () => {
  test.each<[string, object, RegExp]>([
    ['a key that is none', { pepper: 'x' }, /pepper/],
    ['a short pepper', { peppers: [{ kid: 'k', pepper: 'short' }] }, /32 characters/],
    [
      'one kid twice',
      {
        peppers: [
          { kid: 'k', pepper: PEPPER },
          { kid: 'k', pepper: PEPPER },
        ],
      },
      /once/,
    ],
    ['a token without models', { jwt: [{ ...TOKEN, models: undefined }] }, /models/],
    ['a shared secret', { jwt: [{ ...TOKEN, algorithms: ['HS256'] }] }, /algorithms/],
    ['no signature', { jwt: [{ ...TOKEN, algorithms: ['none'] }] }, /algorithms/],
    ['a key set from a file', { jwt: [{ ...TOKEN, jwksUrl: 'file:///etc/passwd' }] }, /jwksUrl/],
    ['a tenant by no rule', { jwt: [{ ...TOKEN, tenant: {} }] }, /tenant/],
    ['a check that holds too long', { cacheTtlMs: 3_600_000 }, /cacheTtlMs/],
  ])('%s is refused', async (_, options, message) => {
    const started = startPlugin(access(options as never), { deps: { sql: fileSql() } })
    const error = await started.catch(
      (thrown: Error & { details?: unknown }) => thrown.message + JSON.stringify(thrown.details),
    )
    expect(error).toMatch(message)
  })

  test('nothing to let anyone in by is refused', async () => {
    await expect(startPlugin(access(), { deps: {} })).rejects.toThrow(/neither a database for keys nor an issuer/)
  })

  test('a database that is none of ours, or newer, is refused', async () => {
    const mysql = { ...fileSql(), capabilities: { ...fileSql().capabilities, dialect: 'mysql' as const } }
    await expect(startPlugin(access(), { deps: { sql: mysql } })).rejects.toThrow(/sqlite or postgres/)
    const newer = fileSql()
    await (await startPlugin(access(), { deps: { sql: newer } })).close()
    await newer.query('UPDATE switchyard_keys_version SET version = 2')
    await expect(startPlugin(access(), { deps: { sql: newer } })).rejects.toThrow(/of version 2/)
  })
})

test('in an assembly a key is checked, its scopes hold, and its events reach listeners', async () => {
  const seen: string[] = []
  const listener = definePlugin({
    name: 'listener',
    contract: 1,
    options: z.strictObject({}),
    setup(ctx) {
      for (const event of ['key:created', 'key:revoked', 'login:failed'] as const) ctx.on(event, () => seen.push(event))
      return { ports: {} }
    },
  })
  const provider = definePlugin({
    name: 'provider',
    contract: 1,
    options: z.strictObject({}),
    setup: () => ({
      ports: {},
      serves: { 'model.invoke': async () => ({ ended: Promise.resolve({ outcome: 'complete' }) }) as never },
    }),
  })
  const database = definePlugin({
    name: 'database',
    contract: 1,
    options: z.strictObject({}),
    provides: { sql },
    setup: () => ({ ports: { sql: fileSql() } }),
  })
  await using kernel = await startKernel({ plugins: [access(), database(), provider(), listener()] })
  const { record, key } = await kernel.get(keys).create({ ...VIRTUAL, models: ['good/*'] }, CHANGE)
  const { principal } = await kernel.get(accessPort).authenticate({ 'x-api-key': key.reveal() })
  const invoke = (name: string): Promise<unknown> => {
    const request = { endpoint: 'chat/completions', model: name, body: {}, raw: Buffer.alloc(0), stream: false, headers: {} }
    return kernel.call('model.invoke', { target: 'provider', principal, request: request as never })
  }
  await expect(invoke('bad/one')).rejects.toMatchObject({ code: 'FORBIDDEN' })
  await invoke('good/one')
  await kernel.get(keys).revoke(record.id, CHANGE)
  await expect(Promise.resolve(kernel.get(accessPort).authenticate({ 'x-api-key': key.reveal() }))).rejects.toMatchObject({
    code: 'UNAUTHENTICATED',
  })
  expect(seen).toEqual(['key:created', 'key:revoked', 'login:failed'])
  expect(kernel.all(model).size).toBe(0)
})

test('a key says its class and id, and no two are alike', () => {
  const texts = new Set<string>()
  for (let at = 0; at < 500; at++) {
    const virtual = newKeyText('virtual', 'ABCdef012345')
    const admin = newKeyText('admin', 'ABCdef012345')
    expect(readKeyText(virtual)).toEqual({ class: 'virtual', id: 'ABCdef012345' })
    expect(readKeyText(admin)).toEqual({ class: 'admin', id: 'ABCdef012345' })
    expect(readKeyText(admin.replace('admin-', ''))).toBeUndefined()
    texts.add(virtual).add(admin)
  }
  expect(texts.size).toBe(1_000)
})
