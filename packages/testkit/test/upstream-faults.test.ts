import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { DEFAULT_TOKENS, type FakeUpstream, type FaultInput, startFakeUpstream } from '../src/index.ts'
import { chat, events, rawExchange } from './support/raw-exchange.ts'

describe('the faults of the fake upstream, as they stand on the wire', () => {
  let upstream: FakeUpstream
  beforeAll(async () => {
    upstream = await startFakeUpstream()
  })
  beforeEach(() => upstream.clear())
  afterAll(() => upstream.close())

  const suffer = (fault: FaultInput, stream: boolean, leaveMs = 2000) => {
    upstream.script(fault)
    return rawExchange(upstream.port, { body: chat({ stream }), leaveMs })
  }
  const contentOf = (body: string) =>
    events(body)
      .filter((data) => data !== '[DONE]')
      .map((data) => JSON.parse(data).choices?.[0]?.delta?.content ?? '')
      .join('')
  const half = DEFAULT_TOKENS.slice(0, 5).join('')

  test.each([400, 401, 403, 404, 408, 413, 422, 429, 500, 502, 503, 504, 529])('status %d', async (status) => {
    for (const stream of [false, true]) {
      const reply = await suffer(`status:${status}`, stream)
      expect(reply.status).toBe(status)
      expect(JSON.parse(reply.body).error.message).toContain(String(status))
    }
  })

  test.each([
    ['2', { 'retry-after': '2' }],
    ['soon', { 'retry-after': 'soon' }],
    ['-1', { 'retry-after': '-1' }],
    ['ms-1500', { 'retry-after-ms': '1500' }],
    ['xms-1500', { 'x-ms-retry-after-ms': '1500' }],
  ])('Retry-After as %s', async (sent, headers) => {
    expect((await suffer(`status:429,retry-after:${sent}`, false)).headers).toMatchObject(headers)
  })

  test('Retry-After as a date, two seconds after the date of the reply', async () => {
    const { headers } = await suffer('status:429,retry-after:date-2', false)
    expect(Date.parse(headers['retry-after'] as string) - Date.parse(headers.date as string)).toBe(2000)
  })

  test('bodies of an error status: the credential repeated, a page, nothing', async () => {
    upstream.always('status:401,body:echo')
    const echoed = await rawExchange(upstream.port, { body: chat(), headers: { authorization: 'Bearer sk-mine' } })
    expect(JSON.parse(echoed.body).error.message).toContain('sk-mine')
    expect((await suffer('status:500,body:html', false)).body).toMatch(/^<!doctype html>/)
    expect((await suffer('status:502,body:empty', false)).headers['content-length']).toBe('0')
  })

  test.each(['headers', 'accept'])('a delay before headers (%s)', async (at) => {
    const reply = await suffer(`delay:${at}:80`, false)
    expect(reply.status).toBe(200)
    expect(reply.firstMs).toBeGreaterThanOrEqual(75)
  })

  test('a delay at accept delays once', async () => {
    const { totalMs } = await suffer('delay:accept:400', false)
    expect(totalMs).toBeLessThan(790)
  })

  test('a delay before the first token and between tokens', async () => {
    const first = await suffer('delay:first:400', true)
    expect(first.firstMs).toBeLessThan(300)
    expect(first.totalMs).toBeGreaterThanOrEqual(395)
    expect((await suffer('delay:first:80', false)).totalMs).toBeGreaterThanOrEqual(78)
    const between = await suffer('delay:tokens:10', true)
    expect(between.totalMs).toBeGreaterThanOrEqual(78)
    expect(contentOf(between.body)).toBe(DEFAULT_TOKENS.join(''))
  })

  test.each(['reset:headers', 'reset:accept'])('%s: no byte, then a reset', async (fault) => {
    const reply = await suffer(fault, true)
    expect(reply).toMatchObject({ status: undefined, ending: 'reset' })
    expect(upstream.requests).toHaveLength(fault === 'reset:accept' ? 0 : 1)
  })

  test('reset:first: headers and a role, no content, then a reset', async () => {
    const reply = await suffer('reset:first', true)
    expect(reply).toMatchObject({ status: 200, ending: 'reset', terminated: false })
    expect(contentOf(reply.body)).toBe('')
  })

  test('reset:mid: half the content, then a reset; exactly n events where asked', async () => {
    const reply = await suffer('reset:mid', true)
    expect(reply).toMatchObject({ ending: 'reset', terminated: false })
    expect(contentOf(reply.body)).toBe(half)
    expect(contentOf((await suffer('reset:mid,after:2', true)).body)).toBe(DEFAULT_TOKENS.slice(0, 2).join(''))
  })

  test('reset:mid of a whole body: half the stated length', async () => {
    const reply = await suffer('reset:mid', false)
    expect(reply.ending).toBe('reset')
    expect(reply.wire.length).toBe(Math.floor(Number(reply.headers['content-length']) / 2))
  })

  test('cuts fall on every byte that is asked for', async () => {
    const { body } = await suffer('', true)
    const length = Buffer.byteLength(body)
    for (const bytes of [0, 1, 17, 333, 700, length - 1]) {
      const cut = await suffer(`end:mid,bytes:${bytes}`, true)
      expect(cut).toMatchObject({ ending: 'end', terminated: true })
      expect(cut.pieces.reduce((sum, size) => sum + size, 0)).toBe(bytes)
    }
  })

  test('end:mid: a clean end, no finish reason, no [DONE]; of a whole body too', async () => {
    const reply = await suffer('end:mid', true)
    expect(reply).toMatchObject({ ending: 'end', terminated: true })
    expect(contentOf(reply.body)).toBe(half)
    expect(reply.body).not.toContain('"stop"')
    const whole = await suffer('end:mid', false)
    expect(whole).toMatchObject({ ending: 'end', terminated: true })
    expect(() => JSON.parse(whole.body)).toThrow()
  })

  test('end:first and end:headers', async () => {
    expect(await suffer('end:first', true)).toMatchObject({ status: 200, ending: 'end', terminated: true })
    expect(await suffer('end:headers', true)).toMatchObject({ status: undefined, ending: 'end' })
  })

  test('short: the length that is stated never comes', async () => {
    const reply = await suffer('short', false)
    expect(reply.ending).toBe('end')
    expect(reply.wire.length).toBe(Number(reply.headers['content-length']) - 64)
  })

  test.each([
    ['stall:headers', true, undefined, ''],
    ['stall:first', true, 200, ''],
    ['stall:mid', true, 200, half],
    ['stall:mid', false, 200, ''],
  ] as const)('%s (stream: %s): silence until the client leaves', async (fault, stream, status, content) => {
    const reply = await suffer(fault, stream, 250)
    expect(reply).toMatchObject({ status, ending: 'open' })
    if (stream) expect(contentOf(reply.body)).toBe(content)
    expect(await upstream.whenClosed(0)).toMatchObject({ closedBeforeEnd: true, finishedAt: undefined })
  })

  test('malformed JSON: whole, before content, after content', async () => {
    const whole = await suffer('malformed:first', false)
    expect(whole).toMatchObject({ status: 200, ending: 'end' })
    expect(() => JSON.parse(whole.body)).toThrow()
    for (const [at, index] of [
      ['first', 1],
      ['mid', 6],
    ] as const) {
      const data = events((await suffer(`malformed:${at}`, true)).body)
      expect(data.findIndex((text) => text !== '[DONE]' && !parses(text))).toBe(index)
      expect(data.at(-1)).toBe('[DONE]')
    }
  })

  test('garbage in place of headers, and of a chunk size', async () => {
    expect((await suffer('garbage:headers', false)).wire.toString()).toContain('not HTTP')
    const mid = await suffer('garbage:mid', true)
    expect(mid.terminated).toBe(false)
    expect(mid.wire.toString()).toContain('\r\nnot-a-size\r\n')
  })

  test('a page, or nothing, with status 200', async () => {
    for (const stream of [false, true]) {
      const html = await suffer('html', stream)
      expect(html).toMatchObject({ status: 200, body: expect.stringMatching(/^<!doctype html>/) })
      expect(html.headers['content-type']).toMatch('text/html')
      expect(await suffer('empty', stream)).toMatchObject({ status: 200, body: '', ending: 'end' })
    }
  })

  test.each([1, 2, 7, 64])('split:%d: pieces of that size, each a chunk of its own', async (bytes) => {
    const { pieces, body } = await suffer(`split:${bytes}`, true)
    expect(pieces.slice(0, -1).every((size) => size === bytes)).toBe(true)
    expect(pieces.at(-1)).toBeLessThanOrEqual(bytes)
    expect(contentOf(body)).toBe(DEFAULT_TOKENS.join(''))
  })

  test('line ends, a byte order mark, comments', async () => {
    const right = (await suffer('', true)).body.replaceAll(/fake-\d+/g, '')
    const of = async (fault: string) => (await suffer(fault, true)).body.replaceAll(/fake-\d+/g, '')
    expect(await of('lines:crlf')).toBe(right.replaceAll('\n', '\r\n'))
    expect(await of('lines:cr')).toBe(right.replaceAll('\n', '\r'))
    expect(await of('bom')).toBe(`\ufeff${right}`)
    expect(await of('pings:2')).toBe(`: ping\n\n: ping\n\n${right}`)
    expect(await of('bom+pings:1+lines:crlf')).toBe(`\ufeff: ping\r\n\r\n${right.replaceAll('\n', '\r\n')}`)
    expect((await suffer('pings:3,every:20', true)).totalMs).toBeGreaterThanOrEqual(55)
  })

  test('error objects with status 200, first and in mid-stream, which end it', async () => {
    expect(JSON.parse((await suffer('error:first', false)).body).error.type).toBe('server_error')
    expect(JSON.parse(events((await suffer('error:first', true)).body)[1] as string).error).toBeDefined()
    const mid = events((await suffer('error:mid,type:overloaded_error', true)).body)
    expect(JSON.parse(mid.at(-1) as string).error.type).toBe('overloaded_error')
    expect(mid).toHaveLength(7)
  })

  test('finish reasons, and no [DONE]', async () => {
    expect((await suffer('finish:overloaded_error', true)).body).toContain('"finish_reason":"overloaded_error"')
    expect((await suffer('finish:length', false)).body).toContain('"finish_reason":"length"')
    const data = events((await suffer('no-done', true)).body)
    expect(JSON.parse(data.at(-1) as string).choices[0].finish_reason).toBe('stop')
  })

  test('huge and endless', async () => {
    expect(contentOf((await suffer('huge:300000', true)).body)).toHaveLength(300_000 + DEFAULT_TOKENS.join('').length)
    const endless = await suffer('endless:2', true, 200)
    expect(endless.ending).toBe('open')
    expect(events(endless.body).length).toBeGreaterThan(30)
    expect((await suffer('endless:2', false, 100)).ending).toBe('open')
  })

  test('no content-type', async () => {
    for (const stream of [false, true])
      expect((await suffer('no-content-type', stream)).headers['content-type']).toBeUndefined()
  })

  test('redirects to itself and to another origin, which answers', async () => {
    const self = await suffer('redirect:self', false)
    expect(self).toMatchObject({ status: 307, headers: { location: `${upstream.url}/chat/completions` } })
    const other = await suffer('redirect:other,status:302', false)
    expect(other).toMatchObject({ status: 302, headers: { location: `http://localhost:${upstream.port}/redirected` } })
    expect((await rawExchange(upstream.port, { path: '/redirected', body: chat({ model: 'm!redirect:other' }) })).status).toBe(
      200,
    )
  })
})

function parses(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
