import { SwitchyardError } from '@switchyard/contract'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { endRecord, failureRecord, frameRecord, recordReader } from '../../src/flight/framing.ts'

test('frames are read as they were told, wherever they are cut', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 300 })), fc.array(fc.integer({ min: 1, max: 64 })), (frames, cuts) => {
      const bytes = Buffer.concat([...frames.map(frameRecord), endRecord()])
      const read = recordReader()
      const told = []
      let at = 0
      for (let turn = 0; at < bytes.length; turn += 1) {
        const length = cuts.length === 0 ? bytes.length : (cuts[turn % cuts.length] as number)
        told.push(...read(bytes.subarray(at, at + length)))
        at += length
      }
      expect(told.pop()).toEqual({ kind: 'end' })
      expect(told.map((one) => (one.kind === 'frame' ? [...one.frame] : one))).toEqual(frames.map((frame) => [...frame]))
    }),
  )
})

test('an error keeps what a program needs of it; its cause stays where it was', () => {
  const error = new SwitchyardError('RATE_LIMITED', 'words', {
    retryable: false,
    retryAfterMs: 7,
    plugin: 'p',
    details: { status: 429 },
    cause: new Error('secret'),
  })
  const [told] = recordReader()(failureRecord(error))
  const { code, message, retryable, retryAfterMs, plugin, details, cause } = (told as { readonly error: SwitchyardError }).error
  expect({ code, message, retryable, retryAfterMs, plugin, details, cause }).toEqual({
    code: 'RATE_LIMITED',
    message: 'words',
    retryable: false,
    retryAfterMs: 7,
    plugin: 'p',
    details: { status: 429 },
    cause: undefined,
  })
})

test.each([
  ['of a kind that is unknown', Uint8Array.of(9, 0, 0, 0, 0)],
  ['of an error that is none', Uint8Array.of(2, 0, 0, 0, 1, 123)],
])('a record %s is UPSTREAM_INVALID', (_, bytes) => {
  expect(() => recordReader()(bytes)).toThrow(expect.objectContaining({ code: 'UPSTREAM_INVALID' }))
})
