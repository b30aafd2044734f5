import { describe, expect, test } from 'vitest'
import { Keyed } from '../src/keyed.ts'

interface Entry {
  used: boolean
  busy: boolean
  idle(): boolean
}

function entry(): Entry {
  return { used: false, busy: false, idle: () => false }
}

function keyed(limit: number) {
  return new Keyed<Entry>(limit, () => {
    const made = entry()
    made.idle = () => !made.busy
    return made
  })
}

describe('a map that forgets', () => {
  test('makes an entry once', () => {
    const map = keyed(2)
    expect(map.get('a', 0)).toBe(map.get('a', 0))
  })

  test('stays near its limit however many keys clients make up, and keeps what is used', () => {
    const map = keyed(100)
    const kept = map.get('kept', 0)
    for (let i = 0; i < 10_000; i++) {
      map.get(`made-up-${i}`, 0)
      expect(map.get('kept', 0)).toBe(kept)
    }
    expect(map.size).toBe(100)
  })

  test('never drops what is under way', () => {
    const map = keyed(3)
    const busy = ['a', 'b', 'c'].map((key) => Object.assign(map.get(key, 0), { busy: true }))
    for (let i = 0; i < 100; i++) map.get(`other-${i}`, 0)
    expect(['a', 'b', 'c'].map((key) => map.get(key, 0))).toEqual(busy)
    for (const [at, key] of ['a', 'b', 'c'].entries()) expect(map.get(key, 0)).toBe(busy[at])
  })
})
