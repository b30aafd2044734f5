import { type ModelReply, SwitchyardError } from '@switchyard/contract'
import { describe, expect, test, vi } from 'vitest'
import { type ErrorOf, type RelayOptions, relayReply, type UpstreamReply } from '../src/index.ts'

const whole = '{"choices":[]}'
const stream = 'data: {"choices":[{"index":0,"delta":{"content":"x"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'

/** A reply whose body can be read either way; `limits` are those it was asked to keep. */
function upstream(status: number, text: string): UpstreamReply & { readonly limits: (number | undefined)[] } {
  const limits: (number | undefined)[] = []
  return {
    status,
    headers: { 'x-request-id': 'r-1' },
    limits,
    body: {
      destroy: () => {},
      bytes: async (limit) => {
        limits.push(limit)
        if (text === 'cut') throw new SwitchyardError('UPSTREAM_TRUNCATED', 'cut')
        return Buffer.from(text)
      },
      async *[Symbol.asyncIterator]() {
        yield Buffer.from(text)
      },
    },
  }
}

function asked(streamed: boolean): RelayOptions {
  return { plugin: 'p', request: { endpoint: 'chat/completions', model: 'p/m', body: {}, stream: streamed } }
}

const refusal = new SwitchyardError('UPSTREAM_REJECTED', 'no')
const errorOf = vi.fn<ErrorOf>(() => refusal)

describe('a success is relayed as it was asked for', () => {
  test.each([200, 201, 299])('whole, with status %i', async (status) => {
    const reply = await relayReply(upstream(status, whole), asked(false), errorOf)
    expect(reply).toMatchObject({ status, body: Buffer.from(whole) })
  })

  test('streamed', async () => {
    const reply: ModelReply = await relayReply(upstream(200, stream), asked(true), errorOf)
    const chunks = []
    for await (const chunk of reply.body as AsyncIterable<Uint8Array>) chunks.push(chunk)
    expect(Buffer.concat(chunks).toString()).toBe(stream)
  })
})

describe('anything else rejects with what the caller makes of it', () => {
  test.each([199, 300, 304, 400, 500])('status %i, streamed or not', async (status) => {
    for (const streamed of [false, true]) {
      errorOf.mockClear()
      const reply = upstream(status, 'why')
      await expect(relayReply(reply, asked(streamed), errorOf)).rejects.toBe(refusal)
      expect(errorOf).toHaveBeenCalledWith({ status, headers: reply.headers, body: Buffer.from('why') })
      expect(reply.limits).toEqual([65_536])
    }
  })

  test('a body that cannot be read is an empty one: the status has said enough', async () => {
    errorOf.mockClear()
    await expect(relayReply(upstream(500, 'cut'), asked(false), errorOf)).rejects.toBe(refusal)
    expect(errorOf.mock.calls[0]?.[0].body).toHaveLength(0)
  })
})

test.each(['{"object":"x"}', 'null', '7', '<html>'])('%s in place of a stream is told as what it is', async (text) => {
  await expect(relayReply(upstream(200, text), asked(true), errorOf)).rejects.toMatchObject({
    code: 'UPSTREAM_INVALID',
    message: 'p: the upstream sent something that is no event stream',
  })
})
