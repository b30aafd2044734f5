import assert from 'node:assert/strict'
import type { Cache } from '@switchyard/contract'
import { rejectsWith } from '../../conformance/rejects-with.ts'
import type { ConformanceCase } from '../../conformance/suite.ts'
import { absent, bytes, holds } from './bytes.ts'

/** Keys that an implementation may confuse, cut, fold or take for its own. */
const TRICKY_KEYS: readonly string[] = [
  '__proto__',
  'constructor',
  'a',
  'A',
  'a ',
  ' a',
  'a:b',
  'a:b:c',
  'a*',
  'a?',
  '{a}b',
  'a\nb',
  'a\0b',
  'a/../b',
  'a%3Ab',
  '"a"',
  'caf\u00e9',
  'cafe\u0301',
  '\u{1f6e4}\ufe0f',
  'x'.repeat(1024),
  `${'x'.repeat(1023)}y`,
]

const LARGE_BYTES = 1024 * 1024

export const entryCases: readonly ConformanceCase<Cache>[] = [
  {
    id: 'cache.capabilities.well-formed',
    promise: 'capabilities say whether tags work and state is shared, and how late expiry may be, in whole milliseconds from 0',
    async check({ instance }) {
      const { tags, shared, expiryResolutionMs } = instance.capabilities
      assert.equal(typeof tags, 'boolean', 'capabilities.tags')
      assert.equal(typeof shared, 'boolean', 'capabilities.shared')
      assert.ok(Number.isInteger(expiryResolutionMs) && expiryResolutionMs >= 0, 'capabilities.expiryResolutionMs')
    },
  },
  {
    id: 'cache.get.unknown-key-undefined',
    promise: 'a key that was never set gives undefined',
    async check({ instance }) {
      assert.equal(await instance.get('unknown'), undefined)
    },
  },
  {
    id: 'cache.get.empty-key-invalid',
    promise: 'get of an empty key rejects INVALID_REQUEST',
    async check({ instance }) {
      await rejectsWith(() => instance.get(''), 'INVALID_REQUEST', "get('')")
    },
  },
  {
    id: 'cache.set.empty-key-invalid',
    promise: 'set of an empty key rejects INVALID_REQUEST',
    async check({ instance }) {
      await rejectsWith(() => instance.set('', { value: bytes('v') }), 'INVALID_REQUEST', "set('')")
    },
  },
  {
    id: 'cache.delete.empty-key-invalid',
    promise: 'delete of an empty key rejects INVALID_REQUEST',
    async check({ instance }) {
      await rejectsWith(() => instance.delete(''), 'INVALID_REQUEST', "delete('')")
    },
  },
  {
    id: 'cache.set.binary-safe',
    promise: 'a value comes back byte for byte, every byte from 0 to 255',
    async check({ instance }) {
      const value = Uint8Array.from({ length: 512 }, (_, at) => at % 256)
      await instance.set('k', { value })
      const entry = await instance.get('k')
      assert.ok(entry?.value instanceof Uint8Array, 'the value is no Uint8Array')
      assert.deepEqual([...entry.value], [...value])
    },
  },
  {
    id: 'cache.set.stores-view-only',
    promise: 'of a view into a larger buffer, only the view is stored',
    async check({ instance }) {
      await instance.set('k', { value: bytes('secret-value-secret').subarray(7, 12) })
      const entry = await holds(instance, 'k', 'value', 'a view')
      assert.equal(entry.value.byteLength, 5)
    },
  },
  {
    id: 'cache.set.empty-value-present',
    promise: 'a value of no bytes is an entry, not an absence',
    async check({ instance }) {
      await instance.set('k', { value: new Uint8Array(0) })
      await holds(instance, 'k', '', 'an empty value')
      assert.equal(await instance.delete('k'), true, 'delete of an empty value finds it')
    },
  },
  {
    id: 'cache.set.large-or-refused',
    promise: 'a value of 1 MiB is stored whole, or rejects TOO_LARGE and leaves the key readable',
    async check({ instance }) {
      const value = Uint8Array.from({ length: LARGE_BYTES }, (_, at) => (at * 31 + (at >>> 8)) % 256)
      const refused = await instance.set('k', { value }).then(
        () => undefined,
        (error: unknown) => error,
      )
      if (refused !== undefined) {
        await rejectsWith(() => Promise.reject(refused), 'TOO_LARGE', 'set of 1 MiB')
        await absent(instance, 'k', 'a refused value')
        return
      }
      const entry = await instance.get('k')
      assert.equal(entry?.value.byteLength, LARGE_BYTES, 'bytes that came back')
      assert.ok(Buffer.compare(entry.value, value) === 0, 'the value came back changed')
    },
  },
  {
    id: 'cache.set.copies-input',
    promise: 'changing the bytes after set resolved changes nothing stored, for a Uint8Array and for a Buffer',
    async check({ instance }) {
      const inputs = { array: bytes('before'), buffer: Buffer.from('before') }
      for (const [key, value] of Object.entries(inputs)) {
        await instance.set(key, { value })
        value.fill(0)
        await holds(instance, key, 'before', `a changed ${key}`)
      }
    },
  },
  {
    id: 'cache.get.copies-output',
    promise: 'changing the bytes that get gave changes nothing stored',
    async check({ instance }) {
      await instance.set('k', { value: bytes('before') })
      const first = await instance.get('k')
      first?.value.fill(0)
      await holds(instance, 'k', 'before', 'a changed reply')
    },
  },
  {
    id: 'cache.set.replaces-value',
    promise: 'a second set replaces the value whole, also by a shorter one',
    async check({ instance }) {
      await instance.set('k', { value: bytes('a longer value') })
      await instance.set('k', { value: bytes('short') })
      await holds(instance, 'k', 'short', 'the second value')
    },
  },
  {
    id: 'cache.set.keys-distinct',
    promise: 'keys are compared exactly: none is folded, trimmed, cut, normalised or taken for a pattern',
    async check({ instance }) {
      for (const [at, key] of TRICKY_KEYS.entries()) await instance.set(key, { value: bytes(`v${at}`) })
      for (const [at, key] of TRICKY_KEYS.entries()) await holds(instance, key, `v${at}`, 'its own value')
    },
  },
  {
    id: 'cache.delete.removes',
    promise: 'delete removes the entry and says true',
    async check({ instance }) {
      await instance.set('k', { value: bytes('v') })
      assert.equal(await instance.delete('k'), true)
      await absent(instance, 'k', 'after delete')
    },
  },
  {
    id: 'cache.delete.spares-others',
    promise: 'delete removes its key only, whatever pattern it may look like',
    async check({ instance }) {
      for (const key of TRICKY_KEYS) await instance.set(key, { value: bytes(key) })
      for (const [at, key] of TRICKY_KEYS.entries()) {
        assert.equal(await instance.delete(key), true, `delete(${JSON.stringify(key)})`)
        await absent(instance, key, 'after its delete')
        const next = TRICKY_KEYS[at + 1]
        if (next !== undefined) await holds(instance, next, next, `after delete(${JSON.stringify(key)})`)
      }
    },
  },
  {
    id: 'cache.delete.absent-false',
    promise: 'delete of a key that is not there says false, also the second time',
    async check({ instance }) {
      assert.equal(await instance.delete('unknown'), false, 'a key never set')
      await instance.set('k', { value: bytes('v') })
      await instance.delete('k')
      assert.equal(await instance.delete('k'), false, 'the second delete')
    },
  },
]
