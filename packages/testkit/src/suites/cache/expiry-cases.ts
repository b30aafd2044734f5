import assert from 'node:assert/strict'
import type { Cache } from '@switchyard/contract'
import type { ConformanceCase, Opened } from '../../conformance/suite.ts'
import { absent, bytes, holds } from './bytes.ts'

/** Short, because a subject with a clock of its own has to wait for it; long enough to read an entry before its end. */
const TTL_MS = 250

/** Moves time to where an entry that expires at `expiresAt` may no longer be read. */
async function passExpiry(opened: Opened<Cache>, expiresAt: number): Promise<void> {
  const late = opened.instance.capabilities.expiryResolutionMs
  await opened.advance(Math.max(0, expiresAt + late - opened.now()))
}

export const expiryCases: readonly ConformanceCase<Cache>[] = [
  {
    id: 'cache.get.readable-until-expiry',
    promise: 'an entry is there up to the last millisecond before it expires',
    async check(opened) {
      const expiresAt = opened.now() + TTL_MS
      await opened.instance.set('k', { value: bytes('v'), expiresAt })
      for (const step of [TTL_MS / 2, TTL_MS / 2 - 1]) {
        await opened.advance(step)
        const entry = await opened.instance.get('k')
        // On a clock that goes by itself, the reply tells only while it is surely early.
        if (opened.now() < expiresAt) assert.ok(entry !== undefined, `gone ${expiresAt - opened.now()} ms early`)
      }
    },
  },
  {
    id: 'cache.get.gone-at-expiry',
    promise: 'an entry is gone from the millisecond it expires, give or take the declared resolution',
    async check(opened) {
      const expiresAt = opened.now() + TTL_MS
      await opened.instance.set('k', { value: bytes('v'), expiresAt })
      await holds(opened.instance, 'k', 'v', 'before its expiry')
      await passExpiry(opened, expiresAt)
      await absent(opened.instance, 'k', 'at its expiry')
    },
  },
  {
    id: 'cache.get.tells-expiry',
    promise: 'get gives the expiresAt that was set, and none where none was',
    async check(opened) {
      const expiresAt = opened.now() + 60_000
      await opened.instance.set('some', { value: bytes('v'), expiresAt })
      await opened.instance.set('none', { value: bytes('v') })
      assert.equal((await opened.instance.get('some'))?.expiresAt, expiresAt)
      assert.equal((await holds(opened.instance, 'none', 'v', 'no expiry')).expiresAt, undefined)
    },
  },
  {
    id: 'cache.set.no-expiry-stays',
    promise: 'an entry with no expiry outlasts those that have one',
    async check(opened) {
      const expiresAt = opened.now() + TTL_MS
      await opened.instance.set('stays', { value: bytes('v') })
      await opened.instance.set('goes', { value: bytes('v'), expiresAt })
      await passExpiry(opened, expiresAt)
      await holds(opened.instance, 'stays', 'v', 'no expiry')
    },
  },
  {
    id: 'cache.set.replaces-expiry',
    promise: 'a second set replaces the expiry too: the first one no longer ends the entry',
    async check(opened) {
      const expiresAt = opened.now() + TTL_MS
      await opened.instance.set('none', { value: bytes('1'), expiresAt })
      await opened.instance.set('none', { value: bytes('2') })
      await opened.instance.set('later', { value: bytes('1'), expiresAt })
      await opened.instance.set('later', { value: bytes('2'), expiresAt: expiresAt + 60_000 })
      await passExpiry(opened, expiresAt)
      await holds(opened.instance, 'none', '2', 'its new expiry is never')
      await holds(opened.instance, 'later', '2', 'its new expiry is later')
    },
  },
  {
    id: 'cache.set.shortens-expiry',
    promise: 'a second set may bring the expiry forward',
    async check(opened) {
      const expiresAt = opened.now() + TTL_MS
      await opened.instance.set('k', { value: bytes('1') })
      await opened.instance.set('k', { value: bytes('2'), expiresAt })
      await passExpiry(opened, expiresAt)
      await absent(opened.instance, 'k', 'its new expiry has passed')
    },
  },
  {
    id: 'cache.set.already-expired-absent',
    promise: 'setting an entry that has already expired resolves, and it cannot be read: neither it nor what it replaced',
    async check(opened) {
      const expiresAt = opened.now()
      await opened.instance.set('replaced', { value: bytes('old') })
      for (const key of ['fresh', 'replaced']) await opened.instance.set(key, { value: bytes('v'), expiresAt })
      await passExpiry(opened, expiresAt)
      for (const key of ['fresh', 'replaced']) await absent(opened.instance, key, 'already expired')
    },
  },
  {
    id: 'cache.set.revives-key',
    promise: 'a key whose entry expired can be set again',
    async check(opened) {
      const expiresAt = opened.now() + TTL_MS
      await opened.instance.set('k', { value: bytes('1'), expiresAt })
      await passExpiry(opened, expiresAt)
      await opened.instance.set('k', { value: bytes('2'), expiresAt: opened.now() + 60_000 })
      await holds(opened.instance, 'k', '2', 'set again')
    },
  },
  {
    id: 'cache.delete.expired-false',
    promise: 'delete of an expired entry says false',
    async check(opened) {
      const expiresAt = opened.now() + TTL_MS
      await opened.instance.set('k', { value: bytes('v'), expiresAt })
      await passExpiry(opened, expiresAt)
      assert.equal(await opened.instance.delete('k'), false)
    },
  },
]
