import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { keyedDigest } from '../src/keys/keyed-digest.ts'

test('it is HMAC-SHA256 of the field, its kind and its length', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string({ maxLength: 200 }), fc.uint8Array({ maxLength: 200 })),
      fc.uint8Array({ maxLength: 300 }),
      (secret, field) => {
        const head = Buffer.alloc(5)
        head[0] = 6
        head.writeUInt32LE(field.byteLength, 1)
        const expected = createHmac('sha256', secret).update(head).update(field).digest('base64url')
        expect(keyedDigest(secret, [field])).toBe(expected)
      },
    ),
    { numRuns: 500 },
  )
})
