import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Envelope, seal, unseal } from '../../src/levels/envelope.ts'

const envelope: Envelope = { operation: 'test.echo', createdAt: 1, freshUntil: 2, expiresAt: 3, tookMs: 4.5, by: 'openai/x' }

test('what was sealed comes back, compressed or not', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 5_000 }), fc.nat(3_000), async (payload, from) => {
      const back = await unseal(await seal(envelope, payload, from), 5_000)
      expect(back?.envelope).toEqual(envelope)
      expect(Buffer.compare(Buffer.from(back?.payload ?? []), Buffer.from(payload))).toBe(0)
    }),
    { numRuns: 50 },
  )
})

test('words shrink, and noise stays as it is', async () => {
  const words = new TextEncoder().encode('many words that are the same '.repeat(200))
  const noise = randomBytes(4_000)
  expect((await seal(envelope, words, 1_000)).byteLength).toBeLessThan(500)
  expect((await seal(envelope, noise, 1_000)).byteLength).toBeGreaterThan(4_000)
})

test('what is none of ours, was cut or would unpack to more than there is room for is nothing', async () => {
  const value = await seal(envelope, new TextEncoder().encode('words '.repeat(1_000)), 100)
  expect(await unseal(value, 6_000)).toBeDefined()
  expect(await unseal(value, 5_999)).toBeUndefined()
  for (let cut = 0; cut < value.byteLength; cut += 7) expect(await unseal(value.subarray(0, cut), 6_000)).toBeUndefined()
  for (const odd of ['null', '[]', '{}', '{"operation":1}', 'x', '{"operation":"a","by":"b","createdAt":"1"}']) {
    const text = new TextEncoder().encode(odd)
    expect(await unseal(Uint8Array.of(1, 0, 0, 0, text.length, ...text, 1, 2), 100)).toBeUndefined()
  }
})

test('no byte that changes in the head makes it another reply of the same operation by accident', async () => {
  const value = await seal(envelope, Uint8Array.of(1, 2, 3), 1_000)
  for (let at = 0; at < 5; at += 1) {
    const changed = value.slice()
    changed[at] = (changed[at] as number) ^ 0xff
    expect(await unseal(changed, 100)).toBeUndefined()
  }
})
