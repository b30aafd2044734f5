import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FAULTS, type Fault, formatFault, parseFault } from '../src/index.ts'

const whole = fc.nat({ max: 100_000 })
const word = fc.stringMatching(/^[a-z][a-z0-9_-]{0,12}$/)
const reach = fc.record({ afterEvents: whole, afterBytes: whole }, { requiredKeys: [] })
const at = (...points: readonly string[]) => fc.constantFrom(...points)

const faults: fc.Arbitrary<Fault> = fc.oneof(
  fc.record(
    {
      kind: fc.constant('status'),
      status: fc.integer({ min: 200, max: 599 }),
      retryAfter: word,
      body: at('json', 'html', 'empty', 'echo'),
    },
    { requiredKeys: ['kind', 'status'] },
  ),
  fc.record({ kind: fc.constant('delay'), at: at('accept', 'headers', 'first', 'tokens'), ms: whole }),
  reach.chain((far) =>
    fc.record({ kind: at('stall', 'end'), at: at('headers', 'first', 'mid') }).map((fault) => ({ ...fault, ...far })),
  ),
  reach.chain((far) =>
    fc
      .record({ kind: fc.constant('reset'), at: at('accept', 'headers', 'first', 'mid') })
      .map((fault) => ({ ...fault, ...far })),
  ),
  fc.record({ kind: at('short', 'html', 'empty', 'bom', 'no-done', 'no-content-type', 'tool-call') }),
  fc.record({ kind: fc.constant('malformed'), at: at('first', 'mid') }),
  fc.record({ kind: fc.constant('garbage'), at: at('headers', 'mid') }),
  fc.record({ kind: fc.constant('split'), bytes: whole, everyMs: whole }, { requiredKeys: ['kind', 'bytes'] }),
  fc.record({ kind: fc.constant('lines'), end: at('crlf', 'cr') }),
  fc.record({ kind: fc.constant('pings'), count: whole, everyMs: whole }, { requiredKeys: ['kind', 'count'] }),
  fc.record({ kind: fc.constant('usage'), flaw: at('absent', 'inconsistent', 'negative') }),
  fc.record({ kind: fc.constant('error'), at: at('first', 'mid'), type: word }, { requiredKeys: ['kind', 'at'] }),
  fc.record({ kind: fc.constant('finish'), reason: word }),
  fc.record({ kind: fc.constant('huge'), bytes: whole }),
  fc.record({ kind: fc.constant('endless'), everyMs: whole }),
  fc.record({ kind: fc.constant('redirect'), to: at('self', 'other'), status: fc.integer({ min: 300, max: 399 }) }),
) as fc.Arbitrary<Fault>

describe('faults as text', () => {
  test('what is written is read back', () => {
    fc.assert(
      fc.property(fc.array(faults, { minLength: 1, maxLength: 3 }), (list) => {
        expect(parseFault(formatFault(list))).toEqual(list)
      }),
    )
  })

  test.each([
    ['status:429,retry-after:2', { kind: 'status', status: 429, retryAfter: '2' }],
    ['split', { kind: 'split', bytes: 1 }],
    ['huge', { kind: 'huge', bytes: 8_388_608 }],
    ['redirect:self', { kind: 'redirect', to: 'self', status: 307 }],
    ['cut-mid-stream', { kind: 'end', at: 'mid' }],
    [' reset:mid,after:3 ', { kind: 'reset', at: 'mid', afterEvents: 3 }],
    ['error:mid,type:a:b', { kind: 'error', at: 'mid', type: 'a:b' }],
  ])('%s', (text, fault) => {
    expect(parseFault(text)).toEqual([fault])
  })

  test.each([
    ['', /no fault is called ""/],
    ['explode', /no fault is called "explode"; known: status, delay/],
    ['constructor', /no fault is called/],
    ['status', /lacks its status/],
    ['status:x', /status is a whole number, not "x"/],
    ['delay:headers', /lacks its ms/],
    ['delay:headers:-5', /ms is a whole number/],
    ['reset:nowhere', /at is one of accept, headers, first, mid, not "nowhere"/],
    ['reset', /lacks its at: accept, headers, first, mid/],
    ['reset:mid:3', /too many arguments/],
    ['reset:mid,before:3', /fault reset has no option "before"; known: after, bytes/],
    ['html,loud', /fault html has no option "loud"; known: none/],
    ['reset:mid,after', /lacks its afterEvents/],
  ])('refuses %j, naming what is known', (text, message) => {
    expect(() => parseFault(text)).toThrow(TypeError)
    expect(() => parseFault(text)).toThrow(message)
  })

  test('the catalogue: unique names, faults that parse, an honest ending for at least one way', () => {
    expect(new Set(FAULTS.map(({ name }) => name)).size).toBe(FAULTS.length)
    for (const { name, fault, plain, stream, description } of FAULTS) {
      expect(name).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/)
      expect(parseFault(name)).toEqual(parseFault(fault))
      expect(plain.length + stream.length).toBeGreaterThan(0)
      expect(description).not.toBe('')
    }
  })

  test('a name stands for its fault among others', () => {
    expect(formatFault('crlf-split+usage-absent')).toBe('lines:crlf+split:1+usage:absent')
  })
})
