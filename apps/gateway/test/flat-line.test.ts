import { secret } from '@switchyard/contract'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { flatMembers } from '../src/flat-line.ts'
import { recordedLog } from './support/recorded-log.ts'

describe('members of a flat line', () => {
  test.each<[string, object]>([
    ['a secret by its name', { authorization: 'Bearer sk-canary' }],
    ['a list', { tokens: ['a'] }],
    ['an object', { at: { x: 1 } }],
    ['an error', { err: new Error('x') }],
    ['a Secret', { value: secret('canary') }],
    ['null', { nothing: null }],
    ['a bigint', { amount: 1n }],
  ])('%s is left to pino', (_, fields) => {
    expect(flatMembers({ a: 1, ...fields })).toBeUndefined()
  })

  test('are JSON, whatever the texts and numbers are', () => {
    const value = fc.oneof(fc.string({ unit: 'binary' }), fc.double(), fc.boolean(), fc.constant(undefined))
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.string().map((name) => `n${name}n`),
          value,
        ),
        (fields) => {
          expect(JSON.parse(`{"level":"info"${flatMembers(fields)}}`)).toEqual(
            JSON.parse(JSON.stringify({ level: 'info', ...fields })),
          )
        },
      ),
    )
  })
})

test('a flat line and one of pino are alike, and a level that is off writes neither', () => {
  const { log, lines } = recordedLog('info')
  log.info({ status: 200, path: '/v1' }, 'request')
  log.info({ status: 200, path: '/v1', more: [] }, 'request')
  log.setLevel('warn')
  log.info({ status: 200 }, 'request')
  const [flat, whole, ...none] = lines()
  expect(none).toEqual([])
  expect(flat).toEqual({ level: 'info', time: expect.any(String), status: 200, path: '/v1', msg: 'request' })
  expect(Object.keys(flat ?? {})).toEqual(Object.keys(whole ?? {}).filter((name) => name !== 'more'))
})
