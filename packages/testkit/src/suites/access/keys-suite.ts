import assert from 'node:assert/strict'
import { type KeyInput, type KeyRecord, type Keys, keys, secret } from '@switchyard/contract'
import { rejectsWith } from '../../conformance/rejects-with.ts'
import type { ConformanceCase, Mutant, Suite } from '../../conformance/suite.ts'

const CHANGE = { by: 'testkit', reason: 'the suite' } as const
const INPUT: KeyInput = { class: 'virtual', tenant: 'acme', models: ['a/*'], endpoints: 'any' }

const cases: readonly ConformanceCase<Keys>[] = [
  {
    id: 'keys.create.shows-once',
    promise: 'a new key is shown by its creation, and no record holds it',
    async check({ instance }) {
      const { record, key } = await instance.create(INPUT, CHANGE)
      const text = key.reveal()
      assert.ok(text.length >= 32, 'a key is long')
      const told = JSON.stringify([record, await instance.get(record.id), await instance.list()])
      assert.ok(!told.includes(text) && !told.includes(text.slice(-24)), 'a record holds the key')
    },
  },
  {
    id: 'keys.create.scopes-are-said',
    promise: 'a virtual key without models or endpoints is refused, and never one for all',
    async check({ instance }) {
      for (const left of ['models', 'endpoints'] as const)
        await rejectsWith(
          () => instance.create({ ...INPUT, [left]: undefined }, CHANGE),
          'INVALID_REQUEST',
          'a key that cannot be',
        )
    },
  },
  {
    id: 'keys.create.no-privilege',
    promise: 'a virtual key takes no role of an admin, and no key a field that is not for its maker',
    async check({ instance }) {
      await rejectsWith(
        () => instance.create({ ...INPUT, roles: ['admin'] }, CHANGE),
        'INVALID_REQUEST',
        'a key that cannot be',
      )
      await rejectsWith(
        () => instance.create({ ...INPUT, createdBy: 'root' } as KeyInput, CHANGE),
        'INVALID_REQUEST',
        'a key that cannot be',
      )
    },
  },
  {
    id: 'keys.change.who-and-why',
    promise: 'no change is made without who and why',
    async check({ instance }) {
      await rejectsWith(() => instance.create(INPUT, { ...CHANGE, reason: '' }), 'INVALID_REQUEST', 'a key that cannot be')
      await rejectsWith(() => instance.create(INPUT, { ...CHANGE, by: '' }), 'INVALID_REQUEST', 'a key that cannot be')
    },
  },
  {
    id: 'keys.get.unknown',
    promise: 'an id that no key has is `NOT_FOUND`, whatever is to be done',
    async check({ instance }) {
      await rejectsWith(() => instance.get('none'), 'NOT_FOUND', 'to get it')
      await rejectsWith(() => instance.update('none', { name: 'x' }, CHANGE), 'NOT_FOUND', 'to update it')
      await rejectsWith(() => instance.rotate('none', 0, CHANGE), 'NOT_FOUND', 'to rotate it')
      await rejectsWith(() => instance.revoke('none', CHANGE), 'NOT_FOUND', 'to revoke it')
    },
  },
  {
    id: 'keys.list.filters-and-pages',
    promise: 'a list holds what the filter says, in order of ids, and goes on behind one',
    async check({ instance }) {
      for (const tenant of ['acme', 'acme', 'other']) await instance.create({ ...INPUT, tenant }, CHANGE)
      const ids = (await instance.list({ tenant: 'acme' })).map(({ id }) => id)
      assert.equal(ids.length, 2)
      assert.deepEqual(
        (await instance.list({ tenant: 'acme', after: ids[0], limit: 1 })).map(({ id }) => id),
        ids.slice(1),
      )
    },
  },
  {
    id: 'keys.rotate.another-secret',
    promise: 'a rotation gives another secret under the same id, and tells until when the old one is taken',
    async check({ instance, now }) {
      const { record, key } = await instance.create(INPUT, CHANGE)
      const rotated = await instance.rotate(record.id, 60_000, CHANGE)
      assert.equal(rotated.record.id, record.id)
      assert.notEqual(rotated.key.reveal(), key.reveal())
      assert.ok((rotated.record.previousUntil ?? 0) > now(), 'the old secret ended at once')
      assert.equal((await instance.rotate(record.id, 0, CHANGE)).record.previousUntil, undefined)
    },
  },
  {
    id: 'keys.revoke.for-good',
    promise: 'a revoked key stays one: every change of it is `CONFLICT`, and revoking it again nothing',
    async check({ instance }) {
      const { record } = await instance.create(INPUT, CHANGE)
      assert.equal((await instance.revoke(record.id, CHANGE)).state, 'revoked')
      assert.equal((await instance.revoke(record.id, CHANGE)).state, 'revoked')
      await rejectsWith(() => instance.update(record.id, { name: 'x' }, CHANGE), 'CONFLICT', 'to update it')
      await rejectsWith(() => instance.rotate(record.id, 0, CHANGE), 'CONFLICT', 'to rotate it')
    },
  },
]

function mutant(name: string, killedBy: string, change: (right: Keys) => Partial<Keys>): Mutant<Keys> {
  return { name, killedBy, mutate: (right) => ({ ...right, ...change(right) }) }
}

const FALLBACK = { ...INPUT, roles: [] }

const mutants: readonly Mutant<Keys>[] = [
  mutant('keeps-the-key-in-the-record', 'keys.create.shows-once', (right) => ({
    async create(...given) {
      const made = await right.create(...given)
      return { ...made, record: { ...made.record, name: made.key.reveal() } }
    },
  })),
  mutant('takes-nothing-for-everything', 'keys.create.scopes-are-said', (right) => ({
    create: (input, ...more) =>
      right.create({ ...input, models: input.models ?? 'any', endpoints: input.endpoints ?? 'any' }, ...more),
  })),
  mutant('passes-privilege-over', 'keys.create.no-privilege', (right) => ({
    create: (input, ...more) => right.create(input.roles === undefined && !('createdBy' in input) ? input : FALLBACK, ...more),
  })),
  mutant('asks-for-no-reason', 'keys.change.who-and-why', (right) => ({
    create: (input, _, ...more) => right.create(input, CHANGE, ...more),
  })),
  mutant('makes-up-a-key', 'keys.get.unknown', (right) => ({
    get: (id) => right.get(id).catch(() => ({ id }) as KeyRecord),
  })),
  mutant('ignores-where-to-go-on', 'keys.list.filters-and-pages', (right) => ({
    list: ({ after: _, ...filter } = {}) => right.list(filter),
  })),
  mutant('rotates-to-the-same', 'keys.rotate.another-secret', (right) => ({
    create: async (...given) => ({ ...(await right.create(...given)), key: secret('sk-the-same-key-for-everyone-of-all') }),
    rotate: async (...given) => ({ ...(await right.rotate(...given)), key: secret('sk-the-same-key-for-everyone-of-all') }),
  })),
  mutant('forgets-a-revocation', 'keys.revoke.for-good', (right) => ({
    revoke: async (id) => ({ ...(await right.get(id)), state: 'active' }),
  })),
]

/** What all keepers of keys promise, and keepers that break each promise. */
export const keysSuite: Suite<Keys> = { port: keys, cases, mutants }
