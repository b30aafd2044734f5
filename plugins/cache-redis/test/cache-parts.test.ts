import { virtualClock } from '@switchyard/testkit'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeEntry, encodeEntry } from '../src/cache/entry.ts'
import type { Client } from '../src/connection.ts'
import { acknowledgements } from '../src/log/acknowledgements.ts'
import { eventOf, isChain, type RawEntry } from '../src/log/events.ts'
import { isOlder, newer } from '../src/log/ids.ts'
import { patience } from '../src/log/patience.ts'
import { logScripts } from '../src/log/run.ts'
import { tagTable } from '../src/log/tag-table.ts'
import { scriptOf } from '../src/run-script.ts'
import { failureOf } from './support/server.ts'

const id = fc.tuple(fc.nat(4_000), fc.nat(1_200)).map(([ms, number]) => ({ ms, number, text: `${ms}-${number}` }))

test('ids are ordered by milliseconds, then by number, not by their text', () => {
  fc.assert(
    fc.property(id, id, (one, other) => {
      const wanted = one.ms === other.ms ? one.number < other.number : one.ms < other.ms
      expect(isOlder(one.text, other.text)).toBe(wanted)
      expect(newer(one.text, other.text)).toBe(wanted ? other.text : one.text)
    }),
  )
})

describe('an entry', () => {
  const entry = fc.record({
    genesis: fc.string(),
    position: fc.constant('1-1'),
    expiresAt: fc.option(fc.nat(), { nil: undefined }),
    tags: fc.array(fc.string({ unit: 'binary' })),
    value: fc.uint8Array(),
  })

  test('is read as it was written', () => {
    fc.assert(
      fc.property(entry, (one) => {
        const { value, ...head } = decodeEntry(encodeEntry(one)) ?? expect.unreachable()
        expect({ ...head, value: new Uint8Array(value) }).toEqual(one)
      }),
    )
  })

  test('that is not one, or was cut or changed, is none or another, never a throw', () => {
    fc.assert(
      fc.property(entry, fc.nat(), fc.nat(255), (one, at, byte) => {
        const written = encodeEntry(one)
        written[at % written.length] = byte
        decodeEntry(written)
        expect(decodeEntry(written.subarray(0, at % 5))).toBeUndefined()
      }),
    )
    for (const head of ['null', '[]', '[1,"1-1",null,[]]', '["g","1-1","x",[]]', '["g","1-1",null,1]', '{']) {
      const wrong = Buffer.concat([Buffer.from([1, 0, 0, 0, head.length]), Buffer.from(head)])
      expect(decodeEntry(wrong)).toBeUndefined()
    }
  })
})

test('a chain is one only where each entry names the one before it', () => {
  const raw = (at: string, before: string): RawEntry => [
    Buffer.from(at),
    ['p', before, 't', 'tag', 'k', 'x', 'd', 'bytes', 'b', 'node', 'odd'].map((text) => Buffer.from(text)),
  ]
  const [one, two] = [eventOf(raw('1-0', '0-0')), eventOf(raw('2-0', '1-0'))]
  expect(one).toEqual({ id: '1-0', before: '0-0', type: 'tag', key: 'x', payload: Buffer.from('bytes'), by: 'node' })
  expect([isChain('0-0', [one, two]), isChain('0-0', []), isChain('1-0', [two])]).toEqual([true, true, true])
  expect([isChain('0-0', [two]), isChain('0-0', [two, one]), isChain('0-1', [one])]).toEqual([false, false, false])
  expect(isChain('0-0', [eventOf([Buffer.from('1-0'), []])])).toBe(false)
})

test('a table says of each stamp what the deletions since say', () => {
  const names = fc.constantFrom('a', 'b', 'c')
  const deletions = fc.array(fc.tuple(fc.constantFrom('tag' as const, 'key' as const), names), { maxLength: 30 })
  fc.assert(
    fc.property(deletions, fc.nat(30), fc.nat(31), names, fc.uniqueArray(names), (all, floor, position, key, tags) => {
      const table = tagTable()
      expect(table.load([Buffer.from('!genesis'), Buffer.from('g'), Buffer.from('!last'), Buffer.from('7-7')])).toBe('7-7')
      for (const [at, [kind, name]] of all.entries()) table.delete(kind, name, `${at + 1}-0`)
      table.raise(`${floor}-0`)
      const since = all.slice(position).some(([kind, name]) => (kind === 'key' ? name === key : tags.includes(name)))
      const stamp = { genesis: 'g', position: `${position}-0`, key, tags }
      expect(table.isAlive(stamp)).toBe(!since && position >= floor)
      expect(table.isAlive({ ...stamp, genesis: 'another' })).toBe(false)
      table.forgetKeys('99-0')
      expect(table.size).toBeLessThanOrEqual(3)
    }),
  )
})

describe('acknowledgements', () => {
  const lease = (node: string, leftMs: number) => ({ node, leftMs })

  async function waiting(leases: readonly { node: string; leftMs: number }[], holdMs = 0) {
    const clock = virtualClock()
    const heard = acknowledgements(clock)
    heard.heard('early', '9-0')
    const state = { done: false }
    heard.wait('5-0', leases, holdMs).then(() => {
      state.done = true
    })
    await clock.advance(0)
    return { clock, heard, state }
  }

  test('nobody to wait for is no wait, nor is one who has applied it already', async () => {
    expect((await waiting([])).state.done).toBe(true)
    expect((await waiting([lease('early', 100)])).state.done).toBe(true)
  })

  test('each must have applied the id, not one before it', async () => {
    const { clock, heard, state } = await waiting([lease('a', 100), lease('b', 100)])
    heard.heard('a', '5-0')
    heard.heard('b', '4-9')
    heard.heard('stranger', '9-0')
    await clock.advance(0)
    expect(state.done).toBe(false)
    heard.heard('b', '6-0')
    await clock.advance(0)
    expect({ ...state, timers: clock.pending() }).toEqual({ done: true, timers: 0 })
  })

  test('or its lease must have run out, to the millisecond, and the hold be over', async () => {
    const { clock, heard, state } = await waiting([lease('a', 100), lease('b', 50)], 120)
    heard.heard('a', '5-0')
    await clock.advance(119)
    expect(state.done).toBe(false)
    await clock.advance(1)
    expect(state.done).toBe(true)
  })

  test('a close ends all of it', async () => {
    const { clock, heard, state } = await waiting([lease('a', 100)])
    heard.close()
    await clock.advance(0)
    expect({ ...state, timers: clock.pending() }).toEqual({ done: true, timers: 0 })
  })
})

test('a server that knows no flags of scripts is given them plain, from then on', async () => {
  const seen: string[] = []
  const client = {
    async callBuffer(command: string, first: string) {
      seen.push(`${command} ${first.slice(0, 5)}`)
      if (command === 'evalsha') throw new Error('NOSCRIPT No matching script')
      if (first.startsWith('#!'))
        throw new Error("ERR Error compiling script (new function): user_script:1: unexpected symbol near '#'")
      return 'done'
    },
  } as unknown as Client
  const run = logScripts(client)
  const script = scriptOf('return 1')
  expect(await run(script, [], 0)).toBe('done')
  expect(seen.filter((one) => one.startsWith('eval '))).toEqual(['eval #!lua', 'eval retur'])
  seen.length = 0
  expect(await run(script, [], 0)).toBe('done')
  expect(seen.some((one) => one.includes('#!'))).toBe(false)
})

test('what never comes is not waited for, twice as long each time in a row, and what comes clears its timer', async () => {
  const clock = virtualClock()
  const answers = patience(clock, 100)
  const never = (): Promise<unknown> => failureOf(answers.wait(new Promise(() => {})))
  for (const ms of [100, 200, 400]) {
    const late = never()
    await clock.advance(ms - 1)
    expect(clock.pending()).toBe(1)
    await clock.advance(1)
    expect(await late).toMatchObject({ message: `no answer within ${ms} ms` })
  }
  expect(await answers.wait(Promise.resolve(7))).toBe(7)
  expect(await failureOf(answers.wait(Promise.reject(new Error('own'))))).toMatchObject({ message: 'own' })
  const late = never()
  await clock.advance(100)
  expect(await late).toMatchObject({ message: 'no answer within 100 ms' })
  expect(clock.pending()).toBe(0)
})
