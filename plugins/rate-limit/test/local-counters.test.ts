import { virtualClock } from '@switchyard/testkit'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { localCounters } from '../src/local-counters.ts'
import { plainCounters } from './support/plain-counters.ts'

const key = fc.constantFrom('{t}a', '{t}b')
const id = fc.integer({ min: 0, max: 6 }).map((number) => `{t}${number}`)
const steps = fc.oneof(
  fc.record({ do: fc.constant('reserve' as const), key, amount: fc.nat(3), limit: fc.nat(6), ms: fc.constantFrom(5, 20) }),
  fc.record({ do: fc.constant('settle' as const), id }),
  fc.record({ do: fc.constant('renew' as const), id, amount: fc.nat(9), later: fc.boolean() }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.nat(12) }),
)

test('do as plain counters do, step by step', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(steps, { maxLength: 60 }), async (all) => {
      const clock = virtualClock()
      const plain = plainCounters(clock)
      const local = localCounters(clock)
      const held = new Map<string, string>()
      for (const step of all) {
        if (step.do === 'wait') await clock.advance(step.ms)
        else if (step.do === 'reserve') {
          const lease = { id: `{t}${held.size}`, expiresAt: clock.now() + step.ms }
          const rows = [{ key: step.key, amount: BigInt(step.amount), limit: BigInt(step.limit) }]
          expect(await local.reserve(rows, lease)).toEqual(await plain.reserve(rows, lease))
          held.set(lease.id, step.key)
        } else if (step.do === 'settle') expect(await local.settle(step.id, {})).toEqual(await plain.settle(step.id, {}))
        else {
          const expiresAt = step.later ? clock.now() + 20 : undefined
          const renewal = {
            ...(expiresAt !== undefined && { expiresAt }),
            amounts: { [held.get(step.id) ?? '{t}a']: BigInt(step.amount) },
          }
          expect(await local.renew(step.id, renewal)).toEqual(await plain.renew(step.id, renewal))
        }
        expect(await local.read(['{t}a', '{t}b'])).toEqual(await plain.read(['{t}a', '{t}b']))
      }
    }),
    { numRuns: 200 },
  )
})

test('hold a bounded number of leases', async () => {
  const clock = virtualClock()
  const local = localCounters(clock)
  const expiresAt = clock.now() + 1_000
  for (let i = 0; i < 200_000; i++) await local.reserve([{ key: 'a', amount: 1n }], { id: `${i}`, expiresAt })
  await expect(local.reserve([{ key: 'a', amount: 1n }], { id: 'more', expiresAt })).rejects.toMatchObject({
    code: 'OVERLOADED',
  })
  await clock.advance(1_000)
  expect(await local.reserve([{ key: 'a', amount: 1n, limit: 1n }], { id: 'more', expiresAt: expiresAt + 1 })).toMatchObject({
    granted: true,
  })
})
