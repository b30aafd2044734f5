import { describe, expect, test } from 'vitest'
import type { EgressReply } from '../src/index.ts'
import { redirectOf } from '../src/redirects.ts'
import { loopbackEgress, manualClock, rawServer, reply, textOf } from './support.ts'

const to = (location: string, status = '302 Found'): string => reply('', `location: ${location}\r\n`, status)

const CREDENTIALS = {
  Authorization: 'Bearer a',
  'Proxy-Authorization': 'Basic a',
  Cookie: 'a=b',
  'X-Api-Key': 'a',
  'api-key': 'a',
  'x-goog-api-key': 'a',
  'X-Amz-Security-Token': 'a',
  'x-auth-token': 'a',
  'x-portkey-api-key': 'a',
  'x-portkey-config': 'a',
  'x-portkey-provider': 'a',
}

describe('redirects', () => {
  test('are not followed by default', async () => {
    await using server = await rawServer((socket) => socket.write(to('/elsewhere')))
    await using egress = loopbackEgress()
    const { status, headers, body } = await egress.request(server.url)
    await body.bytes()
    expect([status, headers.location, server.requests.length]).toEqual([302, '/elsewhere', 1])
  })

  test('to a closed address are refused, with nothing kept of any reply', async () => {
    for (const location of [
      'http://127.0.0.2/',
      'http://169.254.169.254/latest/meta-data/',
      'http://[::1]/',
      '//10.0.0.1/',
      'http://localhost:1/',
      'http://user:pass@127.0.0.1/',
      'file:///etc/passwd',
      'https://127.0.0.1/',
    ]) {
      await using server = await rawServer((socket) => socket.write(to(location)))
      await using egress = loopbackEgress(
        { maxRedirects: 3, allow: ['127.0.0.1'] },
        { lookup: async () => [{ address: '::1', family: 6 }] },
      )
      await expect(egress.request(server.url)).rejects.toMatchObject({ code: 'POLICY_REFUSED', retryable: false })
      expect(server.requests.length).toBe(1)
    }
  })

  test('to another origin lose their credentials, in any case of letters; within an origin they keep them', async () => {
    await using other = await rawServer((socket) => socket.write(reply('there')))
    await using server = await rawServer((socket, nth) =>
      socket.write(nth === 1 ? to('/two', '307 Temporary Redirect') : to(`${other.url}/three`)),
    )
    await using egress = loopbackEgress({ maxRedirects: 2 })
    const { url, body } = await egress.request(server.url, { headers: { ...CREDENTIALS, accept: 'text/plain' } })
    expect([url, await textOf(body)]).toEqual([`${other.url}/three`, 'there'])
    expect(server.requests[1]).toContain('Authorization: Bearer a')
    expect(other.requests[0]?.toLowerCase()).toContain('accept: text/plain')
    for (const name of Object.keys(CREDENTIALS)) expect(other.requests[0]?.toLowerCase()).not.toContain(name.toLowerCase())
  })

  test('beyond maxRedirects are an error, also in a circle', async () => {
    await using server = await rawServer((socket) => socket.write(to('/again')))
    await using egress = loopbackEgress({ maxRedirects: 3 })
    await expect(egress.request(server.url)).rejects.toMatchObject({
      code: 'UPSTREAM_INVALID',
      retryable: false,
      message: expect.stringContaining('"maxRedirects"'),
    })
    expect(server.requests.length).toBe(4)
  })

  test('share one total bound', async () => {
    const clock = manualClock()
    await using server = await rawServer((socket) => {
      clock.advance(600)
      socket.write(to('/again'))
    })
    await using egress = loopbackEgress({ maxRedirects: 9, totalTimeoutMs: 1_000 }, { clock })
    await expect(egress.request(server.url)).rejects.toMatchObject({ code: 'TIMEOUT', details: { phase: 'total' } })
    expect(server.requests.length).toBe(2)
  })

  test('with a large body are not read to its end', async () => {
    await using server = await rawServer((socket, nth) =>
      socket.write(nth === 1 ? 'HTTP/1.1 302 Found\r\nlocation: /b\r\ncontent-length: 999999999\r\n\r\nx' : reply('end')),
    )
    await using egress = loopbackEgress({ maxRedirects: 1 })
    expect(await textOf((await egress.request(server.url)).body)).toBe('end')
    expect(server.accepted).toBe(2)
  })
})

describe('redirectOf', () => {
  const replyOf = (status: number, location?: string, url = 'https://a.test/x/y'): EgressReply =>
    ({ status, url, headers: location === undefined ? {} : { location }, body: undefined }) as unknown as EgressReply
  const post = { method: 'post', body: 'data', headers: { 'content-type': 'text/plain', accept: '*/*' } }

  test.each([
    [301, 'GET', undefined],
    [302, 'GET', undefined],
    [303, 'GET', undefined],
    [307, 'post', 'data'],
    [308, 'post', 'data'],
  ])('%i after a POST goes on as %s', (status, method, body) => {
    const hop = redirectOf(replyOf(status, '../z'), post)
    expect(hop?.url).toBe('https://a.test/z')
    expect(hop?.request.method).toBe(method)
    expect(hop?.request.body).toBe(body)
    expect(hop?.request.headers).toEqual(body === undefined ? { accept: '*/*' } : post.headers)
  })

  test.each([
    [301, 'PUT', 'PUT'],
    [303, 'PUT', 'GET'],
    [303, 'HEAD', 'HEAD'],
    [302, 'HEAD', 'HEAD'],
  ])('%i after a %s goes on as %s', (status, method, expected) => {
    expect(redirectOf(replyOf(status, '/'), { method })?.request.method).toBe(expected)
  })

  test.each([200, 300, 304, 305, 400])('%i is no redirect', (status) => {
    expect(redirectOf(replyOf(status, '/'), {})).toBeUndefined()
  })

  test('without a usable location the reply stands', () => {
    expect(redirectOf(replyOf(302), {})).toBeUndefined()
    expect(redirectOf(replyOf(302, 'http://['), {})).toBeUndefined()
  })

  test('out of TLS is refused', () => {
    expect(() => redirectOf(replyOf(302, 'http://a.test/'), {})).toThrow(expect.objectContaining({ code: 'POLICY_REFUSED' }))
  })
})
