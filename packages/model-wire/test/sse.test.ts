import { SwitchyardError } from '@switchyard/contract'
import { createParser } from 'eventsource-parser'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createSseDecoder, createSseFramer, encodeSseEvent } from '../src/index.ts'

function pieces(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const borders = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  return borders.slice(1).map((end, index) => bytes.subarray(borders[index], end))
}

function decodeAll(chunks: readonly Uint8Array[]): { event: string; data: string }[] {
  const decoder = createSseDecoder()
  return chunks.flatMap((chunk) => decoder.push(chunk)).map(({ event, data }) => ({ event, data }))
}

const line = fc.oneof(
  fc.string({ unit: 'grapheme' }).map((text) => `data: ${text.replace(/[\r\n]/g, ' ')}`),
  fc.constantFrom('data', 'data:', 'data:x', ': comment', 'event: named', 'id: 7', 'retry: 100', 'unknown: y', '{"json":1}'),
  fc.constant(''),
)

test('agrees with eventsource-parser over any lines, line ends and chunking', () => {
  fc.assert(
    fc.property(fc.array(line), fc.constantFrom('\n', '\r\n', '\r'), fc.array(fc.nat()), (lines, end, cuts) => {
      const text = lines.map((one) => one + end).join('') + end
      const expected: { event: string; data: string }[] = []
      const oracle = createParser({ onEvent: ({ event, data }) => expected.push({ event: event || 'message', data }) })
      oracle.feed(text.replaceAll('\r\n', '\n').replaceAll('\r', '\n'))
      expect(decodeAll(pieces(Buffer.from(text), cuts))).toEqual(expected)
    }),
  )
})

test('a stream split at every byte gives the same events', () => {
  const bytes = Buffer.from('\uFEFFdata: häß\ndata: €\n\nevent: x\r\ndata: 𝄞\r\n\r\ndata: last\r\r')
  const expected = [
    { event: 'message', data: 'häß\n€' },
    { event: 'x', data: '𝄞' },
    { event: 'message', data: 'last' },
  ]
  expect(decodeAll([bytes])).toEqual(expected)
  expect(decodeAll([...bytes].map((byte) => Uint8Array.of(byte)))).toEqual(expected)
  for (let cut = 0; cut <= bytes.length; cut++)
    expect(decodeAll([bytes.subarray(0, cut), bytes.subarray(cut)])).toEqual(expected)
})

test('id and retry are kept, an unfinished event is dropped', () => {
  const decoder = createSseDecoder()
  expect(decoder.push(Buffer.from('id: 1\nretry: 50\ndata: a\n\ndata: b\n\ndata: cut'))).toEqual([
    { event: 'message', data: 'a', id: '1', retry: 50 },
    { event: 'message', data: 'b', id: '1' },
  ])
  expect(decoder.end()).toEqual([])
})

test('a mark of byte order is one at the start only', () => {
  expect(decodeAll([Buffer.from('\uFEFFdata: a\n\n\uFEFFdata: b\n\ndata: c\n\n')])).toEqual([
    { event: 'message', data: 'a' },
    { event: 'message', data: 'c' },
  ])
})

test.each([
  [{ data: 'a\nb' }, 'data: a\ndata: b\n\n'],
  [{ data: 'a', event: 'message' }, 'data: a\n\n'],
  [{ data: '', event: 'e', id: '7' }, 'event: e\nid: 7\ndata: \n\n'],
])('%j is %j on the wire', (event, wire) => {
  expect(Buffer.from(encodeSseEvent(event)).toString()).toBe(wire)
})

test('what is encoded is decoded again', () => {
  fc.assert(
    fc.property(fc.string(), (data) => {
      expect(decodeAll([encodeSseEvent({ data, event: 'e', id: '1' })])).toEqual([
        { event: 'e', data: data.replace(/\r\n|\r/g, '\n') },
      ])
    }),
  )
})

describe('framer', () => {
  test('hands out bytes of the chunk itself when whole events lie in it', () => {
    const chunk = Buffer.from('data: a\n\ndata: b\n\n')
    const frames = createSseFramer().push(chunk)
    expect(frames?.bytes.buffer).toBe(chunk.buffer)
    expect(frames?.ends).toEqual([9, 18])
  })

  test('the LF behind a last CR is of the same event where it came with it', () => {
    expect(createSseFramer().push(Buffer.from('data: a\r\n\r\ndata: b\r\r'))?.ends).toEqual([11, 20])
    expect(createSseFramer().push(Buffer.from('data: a\r\rdata: b\r\n'))?.ends).toEqual([9])
    const framer = createSseFramer()
    expect(framer.push(Buffer.from('data: a\r\n\r'))?.ends).toEqual([10])
    expect(framer.push(Buffer.from('\n'))).toBeUndefined()
    expect(framer.push(Buffer.from('data: b\n\n'))?.ends).toEqual([10])
  })

  test('every byte comes out once, in order, whatever the chunking', () => {
    fc.assert(
      fc.property(fc.array(line), fc.constantFrom('\n', '\r\n', '\r'), fc.array(fc.nat()), (lines, end, cuts) => {
        const bytes = Buffer.from(lines.map((one) => one + end).join(''))
        const framer = createSseFramer()
        const out: Uint8Array[] = []
        for (const chunk of pieces(bytes, cuts)) {
          const frames = framer.push(chunk)
          if (frames === undefined) continue
          expect(frames.ends.at(-1)).toBe(frames.bytes.length)
          out.push(frames.bytes)
        }
        expect(Buffer.concat([...out, framer.rest()])).toEqual(bytes)
      }),
    )
  })

  test('an event above the limit is refused though it came in one chunk, and a smaller one beside it is not', () => {
    const framer = createSseFramer({ maxEventBytes: 20 })
    expect(framer.push(Buffer.from('data: 1\n\ndata: 2\n\ndata: 3\n\n'))?.ends).toEqual([9, 18, 27])
    expect(() => framer.push(Buffer.from(`data: ${'x'.repeat(20)}\n\n`))).toThrow(
      expect.objectContaining({ code: 'UPSTREAM_INVALID', retryable: false }),
    )
  })

  test('the limit may be reached, in one chunk and in two', () => {
    const event = Buffer.from(`data: ${'x'.repeat(12)}\n\n`)
    expect(createSseFramer({ maxEventBytes: 20 }).push(event)?.ends).toEqual([20])
    expect(() => createSseFramer({ maxEventBytes: 19 }).push(event)).toThrow(SwitchyardError)
    const framer = createSseFramer({ maxEventBytes: 20 })
    for (const byte of event.subarray(0, 19)) framer.push(Uint8Array.of(byte))
    expect(framer.push(event.subarray(19))?.ends).toEqual([20])
    const endless = createSseFramer({ maxEventBytes: 20 })
    endless.push(Buffer.alloc(20, 'x'))
    expect(() => endless.push(Buffer.from('x'))).toThrow(SwitchyardError)
  })

  test('the limit is for one event: what was carried before does not count against the next', () => {
    const framer = createSseFramer({ maxEventBytes: 30 })
    const seen: number[] = []
    for (let index = 0; index < 200; index++) {
      for (const part of ['data: ', 'x'.repeat(15), '\n', '\nda', 'ta: y', '\n\n']) {
        seen.push(...(framer.push(Buffer.from(part))?.ends ?? []))
      }
    }
    expect(seen).toHaveLength(400)
  })

  test('bytes handed out are not overwritten by what comes later', () => {
    const framer = createSseFramer()
    framer.push(Buffer.from('data: fir'))
    const first = framer.push(Buffer.from('st\n\ndata: sec'))
    framer.push(Buffer.from('ond'))
    framer.push(Buffer.from('\n\nxxxxxxxxxxxxxxxxxxxxx'))
    expect(Buffer.from(first?.bytes ?? []).toString()).toBe('data: first\n\n')
  })

  test('a chunk may be reused by its owner once it was pushed without completing an event', () => {
    const framer = createSseFramer()
    const chunk = Buffer.from('data: a')
    framer.push(chunk)
    chunk.fill('z')
    expect(Buffer.from(framer.push(Buffer.from('\n\n'))?.bytes ?? []).toString()).toBe('data: a\n\n')
  })

  test('a million one-byte chunks of one line cost its bytes, not an object each, and no quadratic copying', () => {
    const framer = createSseFramer()
    const before = process.memoryUsage()
    for (let index = 0; index < 1_000_000; index++) framer.push(Uint8Array.of(120))
    const after = process.memoryUsage()
    expect(framer.rest()).toHaveLength(1_000_000)
    expect(after.heapUsed - before.heapUsed).toBeLessThan(64 * 1024 * 1024)
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(16 * 1024 * 1024)
  })

  test('an event above the limit is refused, however small its chunks', () => {
    const framer = createSseFramer({ maxEventBytes: 1_000 })
    const flood = (): void => {
      for (let index = 0; index < 2_000; index++) framer.push(Buffer.from('x'))
    }
    expect(flood).toThrow(expect.objectContaining({ code: 'UPSTREAM_INVALID' }))
  })
})
