import { SwitchyardError } from '@switchyard/contract'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type BodySource, ReplyBody } from '../src/reply-body.ts'

interface FakeSource extends BodySource {
  resumed: number
  cancelled: SwitchyardError | undefined
}

function bodyOf(maxBytes = 1_000, declaredBytes = -1): { body: ReplyBody; source: FakeSource } {
  const source: FakeSource = {
    declaredBytes,
    plugin: undefined,
    resumed: 0,
    cancelled: undefined,
    resume: () => void source.resumed++,
    drain: () => {},
    cancel: (error) => {
      source.cancelled = error
      body.fail(error, true)
    },
  }
  const body = new ReplyBody(source, maxBytes)
  return { body, source }
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const textOf = (chunk: Uint8Array | undefined): string => Buffer.from(chunk ?? []).toString()
const cut = new SwitchyardError('UPSTREAM_TRUNCATED', 'cut')

describe('ReplyBody', () => {
  test('whole, with what came before it was asked for and after', async () => {
    const { body } = bodyOf()
    body.push(bytes('a'))
    const whole = body.bytes()
    body.push(bytes('b'))
    body.end()
    expect(textOf(await whole)).toBe('ab')
    expect((await body.next()).done).toBe(true)
  })

  test('the rest as a whole, after some chunks', async () => {
    const { body } = bodyOf()
    for (const text of ['a', 'b', 'c']) body.push(bytes(text))
    expect(textOf((await body.next()).value)).toBe('a')
    body.end()
    expect(textOf(await body.bytes())).toBe('bc')
  })

  test('one chunk is handed out as it is', async () => {
    const { body } = bodyOf()
    const chunk = bytes('one')
    body.push(chunk)
    body.end()
    expect(await body.bytes()).toBe(chunk)
  })

  test('chunks that came before a cut are handed out before the error; whole, there is only the error', async () => {
    const inChunks = bodyOf().body
    inChunks.push(bytes('half'))
    inChunks.fail(cut, false)
    expect(textOf((await inChunks.next()).value)).toBe('half')
    await expect(inChunks.next()).rejects.toBe(cut)
    const whole = bodyOf().body
    whole.push(bytes('half'))
    const reading = whole.bytes()
    whole.fail(cut, false)
    await expect(reading).rejects.toBe(cut)
    await expect(whole.bytes()).rejects.toBe(cut)
    await expect(whole.next()).rejects.toBe(cut)
  })

  test('the first end counts', async () => {
    const { body } = bodyOf()
    body.end()
    body.fail(cut, true)
    expect(textOf(await body.bytes())).toBe('')
    const failed = bodyOf().body
    failed.fail(cut, false)
    failed.fail(new SwitchyardError('ABORTED', 'later'), true)
    await expect(failed.next()).rejects.toBe(cut)
  })

  test('a second reader is a mistake, told as one', async () => {
    const { body } = bodyOf()
    const first = body.next()
    await expect(body.next()).rejects.toThrow(TypeError)
    await expect(body.bytes()).rejects.toThrow(TypeError)
    body.end()
    expect(await first).toEqual({ done: true, value: undefined })
    const whole = bodyOf().body
    const reading = whole.bytes()
    await expect(whole.bytes()).rejects.toThrow(TypeError)
    whole.end()
    expect(textOf(await reading)).toBe('')
  })

  test('limits: of the policy, of the caller, declared, and already there', async () => {
    const invalid = { code: 'UPSTREAM_INVALID', retryable: false }
    const { body, source } = bodyOf(3)
    body.push(bytes('abc'))
    expect(source.cancelled).toBeUndefined()
    body.push(bytes('d'))
    expect(source.cancelled).toMatchObject(invalid)
    await expect(body.next()).rejects.toMatchObject(invalid)

    const declared = bodyOf(100, 50)
    await expect(declared.body.bytes(49)).rejects.toMatchObject({ ...invalid, details: { limitBytes: 49 } })
    expect(declared.source.cancelled).toMatchObject(invalid)

    const there = bodyOf(100)
    there.body.push(bytes('abc'))
    there.body.end()
    await expect(there.body.bytes(2)).rejects.toMatchObject({ details: { limitBytes: 2 } })
    await expect(there.body.next()).rejects.toMatchObject(invalid)

    const growing = bodyOf(100)
    const reading = growing.body.bytes(3)
    growing.body.push(bytes('abc'))
    growing.body.push(bytes('d'))
    await expect(reading).rejects.toMatchObject({ details: { limitBytes: 3 } })

    const infinite = bodyOf(Number.POSITIVE_INFINITY)
    infinite.body.push(bytes('abc'))
    infinite.body.end()
    expect(textOf(await infinite.body.bytes(Number.POSITIVE_INFINITY))).toBe('abc')
  })

  test('pauses when its buffer is full, resumes when it is read, and does not pause for a reader of the whole', async () => {
    const piece = new Uint8Array(64 * 1024)
    const { body, source } = bodyOf(Number.POSITIVE_INFINITY)
    expect([body.push(piece), body.push(piece)]).toEqual([false, true])
    await body.next()
    expect(source.resumed).toBe(1)
    expect(body.push(piece)).toBe(true)
    const whole = body.bytes()
    expect(source.resumed).toBe(2)
    expect([body.push(piece), body.push(piece)]).toEqual([false, false])
    body.end()
    expect((await whole).byteLength).toBe(4 * 64 * 1024)
    const waiting = bodyOf(Number.POSITIVE_INFINITY).body
    const next = waiting.next()
    expect(waiting.push(new Uint8Array(1_000_000))).toBe(false)
    expect((await next).value?.byteLength).toBe(1_000_000)
  })

  test('a source that resumes at once into the buffer keeps the order', async () => {
    const { body, source } = bodyOf(Number.POSITIVE_INFINITY)
    let left = 20
    const piece = (): Uint8Array => new Uint8Array(64 * 1024).fill(left)
    source.resume = () => {
      while (left-- > 0) if (body.push(piece())) return
      body.end()
    }
    source.resume()
    const seen: (number | undefined)[] = []
    for await (const chunk of body) seen.push(chunk[0])
    expect(seen).toEqual(Array.from({ length: 20 }, (_, index) => 19 - index))
  })

  test('whatever the chunks and the reader, all bytes come once, in order, and then the end', async () => {
    const chunk = fc.uint8Array({ minLength: 1, maxLength: 20 })
    const step = fc.oneof(chunk, fc.constant('read' as const))
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 60 }),
        fc.constantFrom('end', 'cut'),
        fc.boolean(),
        async (steps, ending, rest) => {
          const { body } = bodyOf(Number.POSITIVE_INFINITY)
          const sent: number[] = []
          const got: number[] = []
          let reading: Promise<void> | undefined
          for (const each of steps) {
            if (each !== 'read') {
              sent.push(...each)
              body.push(each)
            }
            await reading
            reading = undefined
            if (each === 'read') {
              const next = body.next()
              reading = next.then(({ value }) => void got.push(...(value ?? [])))
              if (sent.length === got.length) break
            }
          }
          if (ending === 'end') body.end()
          else body.fail(cut, false)
          const failed = await (reading ?? Promise.resolve())
            .then(async () => {
              if (rest && ending === 'end') got.push(...(await body.bytes()))
              else for await (const each of body) got.push(...each)
            })
            .then(
              () => undefined,
              (error: unknown) => error,
            )
          expect(got).toEqual(sent)
          expect(failed).toBe(ending === 'end' ? undefined : cut)
        },
      ),
      { numRuns: 300 },
    )
  })
})
